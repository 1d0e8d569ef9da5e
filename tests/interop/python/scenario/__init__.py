"""What two people and a stranger do, with every fault on the way, and what must hold afterwards.

`python -m scenario` plays it. Each step is a function; its first line says what it shows.
"""
