"""A client of Parlor over grpcio, as the maker of a native app would write it: stubs from proto/ and the seven rules.

`api` calls, `store` keeps, `live` holds what is not kept, `rules` decides, `stream` connects, and `client` puts them
together.
"""
