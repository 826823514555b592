package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;

/**
 * Python's bytes or bytearray, where they lie in the file.
 *
 * @param memory the bytes; valid for as long as the file is open
 */
public record ByteRange(MemorySegment memory) {}
