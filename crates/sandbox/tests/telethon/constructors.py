"""Prints the layer of Telethon and all constructors it knows, one `id name` a line."""

from telethon.tl.alltlobjects import LAYER, tlobjects

print(LAYER)
for constructor, kind in sorted(tlobjects.items()):
    print(f"{constructor:08x} {kind.__name__}")
