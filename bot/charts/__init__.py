"""One picture a bot that shows its day. Drawn by a short-lived process (``python -m bot.charts``).

So the service itself never holds an image or a font. Pillow alone draws: a plotting library would need more
memory and time for its import than all the pictures of a digest.
"""
