"""What the core needs from outside, as Protocols, with the records they speak in. Adapters and storage implement
them.
"""
