// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The C library's error messages. Native libraries include them in their own messages in the
 * language of the user ({@code LC_MESSAGES}), so a program that searches for them must query them.
 */
public final class SystemErrors {
  private static final int LONGEST = 1 << 12;
  private static final FunctionDescriptor STRERROR =
      FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT);

  /** EPIPE, ETIMEDOUT, ECONNREFUSED, ECONNRESET. */
  private static final int[] LINUX_PEER_LOST = {32, 110, 111, 104};

  private static final int[] MAC_PEER_LOST = {32, 60, 61, 54};

  private SystemErrors() {}

  /**
   * Returns the messages for a connection whose other end has been lost or does not exist; empty if
   * the C library is neither that of Linux nor of macOS.
   */
  public static List<String> peerLost() {
    String os = System.getProperty("os.name", "");
    int[] numbers =
        os.equals("Linux") ? LINUX_PEER_LOST : os.startsWith("Mac") ? MAC_PEER_LOST : new int[0];
    return IntStream.of(numbers).mapToObj(SystemErrors::words).flatMap(Optional::stream).toList();
  }

  private static Optional<String> words(int number) {
    return Linker.nativeLinker()
        .defaultLookup()
        .find("strerror")
        .map(function -> (MemorySegment) Downcall.call(function, STRERROR, number))
        .filter(text -> !text.equals(MemorySegment.NULL))
        .map(text -> decode(text.reinterpret(LONGEST)));
  }

  /** Decodes in the user's character set, which need not be one that a segment can decode. */
  private static String decode(MemorySegment text) {
    int length = 0;
    while (text.get(ValueLayout.JAVA_BYTE, length) != 0) {
      length++;
    }
    return new String(text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), charset());
  }

  private static Charset charset() {
    return Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
  }
}
