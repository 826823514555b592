// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;

/**
 * A string too long to be a name or a setting (the source text of a module, or bytes written as
 * text by an old protocol), which is not decoded.
 *
 * @param utf8 the bytes of the text, not validated as UTF-8; valid while the file is open
 */
public record LongText(MemorySegment utf8) {}
