// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Calls operators that do not exist and prints the code and the reason that LibTorch gave. The
 * first argument names the settings; with {@code threads} behind it, several threads do so at once,
 * each for an operator of its own, and the number of reasons that named another is printed.
 */
final class FailingCallMain {
  private static final int THREADS = 4;
  private static final int TIMES = 200;

  private FailingCallMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    LibTorch library =
        LibTorch.load(arguments[0].equals("NONE") ? Settings.NONE : Settings.DEFAULT);
    if (arguments.length == 1) {
      System.out.println("code " + call(library, "aten::there_is_no_such_operator"));
      System.out.println(library.errors().last());
      System.out.println(library.errors().last());
      return;
    }
    ConcurrentMap<String, Integer> wrong = new ConcurrentHashMap<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      String operator = "aten::of_thread_" + i;
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int k = 0; k < TIMES; k++) {
                  call(library, operator);
                  @Nullable String reason = library.errors().last();
                  if (reason == null || !reason.contains(operator)) {
                    wrong.merge(operator + ": " + reason, 1, Integer::sum);
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    System.out.println("wrong: " + wrong);
  }

  private static Object call(LibTorch library, String operator) {
    try (Arena arena = Arena.ofConfined()) {
      return Downcall.call(
          library.function("torch_call_dispatcher"),
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG),
          arena.allocateFrom(operator),
          arena.allocateFrom(""),
          arena.allocate(ValueLayout.JAVA_LONG, 4),
          0x020A_0000_0000_0000L);
    }
  }
}
