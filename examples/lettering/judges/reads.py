"""A judge that reads what is written below a picture. It passes those that say all of the given words.

    python3 reads.py SUMMER SALE

It knows the capitals and digits in which fluxbatch's simulator letters its pictures (letters.txt), and
needs nothing but Python. For real pictures, have a program such as tesseract read them.
"""

import json
import os
import struct
import sys
import zlib

GRID = (6, 8)  # each letter is looked at in so many columns and rows


def pixels(path):
    """Returns the rows of an 8-bit PNG without interlacing, each a list of colours."""
    with open(path, "rb") as f:
        data = f.read()
    at, body = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, chunk = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", chunk[:10])
        elif kind == b"IDAT":
            body += chunk
        at += length + 12
    size = {2: 3, 6: 4}[colour]
    raw, rows, above = zlib.decompress(body), [], bytearray(width * size)
    for y in range(height):
        start = y * (width * size + 1)
        row = unfilter(raw[start], bytearray(raw[start + 1 : start + 1 + width * size]), above, size)
        rows.append([tuple(row[x : x + 3]) for x in range(0, len(row), size)])
        above = row
    return rows


def unfilter(how, row, above, size):
    """Undoes what PNG does to a row so that it compresses better."""
    if how == 0:
        return row
    for i in range(len(row)):
        left = row[i - size] if i >= size else 0
        if how == 1:
            guess = left
        elif how == 2:
            guess = above[i]
        elif how == 3:
            guess = (left + above[i]) // 2
        else:
            guess = paeth(left, above[i], above[i - size] if i >= size else 0)
        row[i] = (row[i] + guess) & 255
    return row


def paeth(left, up, corner):
    """Returns the neighbour that is nearest to where the three of them point."""
    far_left, far_up, far_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if far_left <= far_up and far_left <= far_corner:
        return left
    return up if far_up <= far_corner else corner


def runs(flags):
    """Yields where flags are true, as pairs of a beginning and an end."""
    start = None
    for i, flag in enumerate(list(flags) + [False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            yield start, i
            start = None


def ink(rows):
    """Returns how much each pixel differs from the paper, from 0 to 1."""
    paper = rows[0][0]
    return [[min(1, sum(abs(a - b) for a, b in zip(p, paper)) / 300) for p in row] for row in rows]


def look(glyph):
    """Returns what is seen of a glyph: its ink in a grid, and how wide it is."""
    columns, rows = GRID
    height, width = len(glyph), len(glyph[0])
    grid = []
    for r in range(rows):
        for c in range(columns):
            ys = range(r * height // rows, max(r * height // rows + 1, (r + 1) * height // rows))
            xs = range(c * width // columns, max(c * width // columns + 1, (c + 1) * width // columns))
            grid.append(sum(glyph[y][x] for y in ys for x in xs) / (len(ys) * len(xs)))
    return grid + [2 * width / height]


def lines(marks):
    """Yields the lines of text below the picture, which is the tallest thing there is."""
    bands = list(runs(max(row) > 0.3 for row in marks))
    tallest = max(range(len(bands)), key=lambda i: bands[i][1] - bands[i][0])
    for top, bottom in bands[tallest + 1 :]:
        yield marks[top:bottom]


def glyphs(line):
    """Yields the glyphs of a line, and whether a space comes before each."""
    end = 0
    for left, right in runs(max(column) > 0.3 for column in zip(*line)):
        part = [row[left:right] for row in line]
        own = [i for i, row in enumerate(part) if max(row) > 0.3]
        yield [row for row in part[own[0] : own[-1] + 1]], left - end > len(line) * 0.18
        end = right


def read(path, known):
    text = ""
    for line in lines(ink(pixels(path))):
        for glyph, apart in glyphs(line):
            seen = look(glyph)
            letter = min(known, key=lambda k: sum((a - b) ** 2 for a, b in zip(seen, k[1])))[0]
            text += (" " if apart else "") + letter
        text += " "
    return text.split()


def letters():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "letters.txt"), encoding="ascii") as f:
        for entry in map(str.split, f):
            levels = [int(digit, 16) / 15 for digit in entry[1]]
            yield entry[0], levels + [float(entry[2])]


def main():
    picture = json.load(sys.stdin)
    found = read(picture["path"], list(letters()))
    missing = [word for word in sys.argv[1:] if word not in found]
    print("it lacks " + ", ".join(missing) if missing else "it says " + " ".join(sys.argv[1:]))
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
