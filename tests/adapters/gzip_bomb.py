"""Two MiB of gzip that become two GiB when they are unpacked."""

import struct
import zlib
from functools import cache

UNPACKED = 2 * 1024**3
_PIECE = 16 * 1024**2


@cache
def gzip_bomb() -> bytes:
    """One valid gzip member (RFC 1952) of zeros, put together from equal pieces: that takes a second instead of ten."""
    pieces = UNPACKED // _PIECE
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = bytes(_PIECE)
    piece = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(pieces):
        checksum = zlib.crc32(zeros, checksum)
    head, end = b"\x1f\x8b\x08" + bytes(7), b"\x03\x00"
    return head + piece * pieces + end + struct.pack("<LL", checksum, UNPACKED % 2**32)
