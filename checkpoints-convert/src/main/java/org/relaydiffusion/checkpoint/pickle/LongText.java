package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;

/**
 * A string too long to be a name or a setting (a module's source text, or bytes that an old
 * protocol wrote as text), left where it lies in the file and not decoded.
 *
 * @param utf8 the text's bytes, not checked to be UTF-8; valid for as long as the file is open
 */
public record LongText(MemorySegment utf8) {}
