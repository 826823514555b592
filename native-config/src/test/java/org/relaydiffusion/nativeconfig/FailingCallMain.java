package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;

/** Calls an operator that does not exist and prints the code that LibTorch returned. */
final class FailingCallMain {
  private FailingCallMain() {}

  public static void main(String[] arguments) {
    LibTorch library = LibTorch.load();
    try (Arena arena = Arena.ofConfined()) {
      Object code =
          Downcall.call(
              library.find("torch_call_dispatcher").orElseThrow(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_LONG),
              arena.allocateFrom("aten::there_is_no_such_operator"),
              arena.allocateFrom(""),
              arena.allocate(ValueLayout.JAVA_LONG, 4),
              0x020A_0000_0000_0000L);
      System.out.println("code " + code);
    }
  }
}
