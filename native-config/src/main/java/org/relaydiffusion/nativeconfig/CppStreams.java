// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The standard streams of libstdc++, as objects in memory. */
final class CppStreams {
  // Above the first virtual function stands how far off the base class with the state is.
  private static final long BASE_OFFSET = -24;

  private CppStreams() {}

  /** The {@code std::basic_ios} of an {@code std::ostream}. */
  static MemorySegment ios(MemorySegment stream) {
    long table = stream.reinterpret(8).get(ValueLayout.JAVA_LONG, 0);
    long offset =
        MemorySegment.ofAddress(table + BASE_OFFSET).reinterpret(8).get(ValueLayout.JAVA_LONG, 0);
    return MemorySegment.ofAddress(stream.address() + offset);
  }
}
