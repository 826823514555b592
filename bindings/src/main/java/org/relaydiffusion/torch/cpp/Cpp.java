// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** How the classes of this package call: what they make on the way is freed, what fails is told. */
final class Cpp {
  private static final long LONGEST_MILLIS = Duration.ofDays(365).toMillis();
  private static final int MOST_LINES = 3;

  private Cpp() {}

  /** A call that returns something. */
  @FunctionalInterface
  interface Call<T> {
    T run();
  }

  /**
   * Calls; every JavaCPP object that is made meanwhile is freed at the end, but for those that
   * {@link #kept} was asked to spare.
   */
  static <T> T call(Call<T> call) throws CppException {
    try (PointerScope _ = new PointerScope()) {
      return call.run();
    } catch (UnsatisfiedLinkError e) {
      throw new CppException("this build of LibTorch has no function " + e.getMessage());
    } catch (RuntimeException e) {
      String text = String.valueOf(e.getMessage());
      throw new CppException(reason(text), text);
    }
  }

  /** As {@link #call}, without a result. */
  static void run(Runnable call) throws CppException {
    call(() -> {
      call.run();
      return true;
    });
  }

  /** Spares an object from the end of the call that makes it: whoever has it frees it. */
  static <P extends Pointer> P kept(P pointer) {
    return pointer.retainReference();
  }

  /** A C++ duration, at least a millisecond and at most a year. */
  static Milliseconds milliseconds(Duration duration) {
    return new Milliseconds(
        duration.compareTo(Duration.ofMillis(LONGEST_MILLIS)) > 0
            ? LONGEST_MILLIS
            : Math.max(1, duration.toMillis()));
  }

  /** A C++ vector that shares the tensors of {@code handles}, which stay the caller's. */
  static TensorVector vector(List<Long> handles) {
    TensorVector vector = new TensorVector(handles.size());
    for (int i = 0; i < handles.size(); i++) {
      vector.put(i, tensor(handles.get(i)));
    }
    return vector;
  }

  /** JavaCPP's view of a handle, which it neither copies nor frees. */
  static Tensor tensor(long handle) {
    return new Tensor(new At(handle));
  }

  private static final class At extends Pointer {
    At(long address) {
      this.address = address;
      this.limit = 1;
      this.capacity = 1;
    }
  }

  /** What LibTorch said, without the stack trace that follows and the file that is named first. */
  static String reason(String text) {
    return text.lines()
        .takeWhile(l -> !l.startsWith("Exception raised from ") && !l.startsWith("frame #"))
        .map(l -> l.replaceFirst("^\\[?/\\S+\\.(cc|cpp|h|hpp|cu)\\s?:\\d+\\]?,?\\s*", "").strip())
        .filter(l -> !l.isEmpty())
        .limit(MOST_LINES)
        .collect(Collectors.joining("; "));
  }
}
