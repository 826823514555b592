// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;

/**
 * Python's bytes or bytearray, as a range of the file.
 *
 * @param memory the bytes; valid while the file is open
 */
public record ByteRange(MemorySegment memory) {}
