"""A client of Parlor over grpcio, as the maker of a native app would write it: stubs from proto/ and the seven rules.

`api` calls, `store` keeps, `rules` decides, `stream` connects, `client` puts them together.
"""
