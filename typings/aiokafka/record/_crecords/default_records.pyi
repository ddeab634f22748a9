from collections.abc import Callable

gzip_decode: Callable[[bytes], bytes]
zstd_decode: Callable[[bytes], bytes]
lz4_decode: Callable[[bytes], bytes]
snappy_decode: Callable[[bytes], bytes]
