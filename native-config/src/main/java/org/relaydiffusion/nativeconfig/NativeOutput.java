// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * What C++ code writes to {@code std::cout}, where a command's results go. While it is muted the
 * stream is in the state that it has after a failed write, in which it writes nothing; Java's own
 * output is another matter. Only for libstdc++; elsewhere nothing happens.
 */
public final class NativeOutput implements AutoCloseable {
  private static final int GOOD = 0;
  private static final int BAD = 1;

  private final Optional<MemorySegment> stream;
  private final Optional<MemorySegment> setState;

  private NativeOutput(LibTorch library) {
    stream = library.find("_ZSt4cout").map(CppStreams::ios);
    setState = library.find("_ZNSt9basic_iosIcSt11char_traitsIcEE5clearESt12_Ios_Iostate");
  }

  /** Mutes the stream until closed. */
  public static NativeOutput mute() {
    NativeOutput output = new NativeOutput(LibTorch.load());
    output.set(BAD);
    return output;
  }

  @Override
  public void close() {
    set(GOOD);
  }

  private void set(int state) {
    if (stream.isPresent() && setState.isPresent()) {
      Downcall.run(
          setState.get(),
          FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          stream.get(),
          state);
    }
  }
}
