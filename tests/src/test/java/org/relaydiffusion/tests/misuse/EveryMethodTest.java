// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * Every public method of the binding, called as it is meant and then with one argument wrong: null,
 * closed, another thread's, of another type, of another rank, or in read-only memory. A wrong
 * argument is an exception of ours in one line or a value, never anything else, and leaves no
 * tensor. A new method is tested as soon as it exists; if its arguments cannot be told from their
 * types, it needs a row in {@link Rows}.
 */
class EveryMethodTest {
  /** They wait for other processes, or want a device that most machines lack. */
  private static final Set<String> NEED_MORE =
      Set.of(
          "Torch.emptyPinned",
          "Initializer.make",
          "WaitListener.waiting",
          "OperatorCall.number",
          "TorchException.requireNonNull",
          "TorchException.requireNoNulls",
          "new TorchException",
          "ProcessGroup.nccl",
          "new TcpStore",
          "TcpStore.connect",
          "TcpStore.serve",
          "TcpStore.host",
          "TcpStore.port",
          "CudaGraph.capture",
          "CudaGraph.close",
          "CudaGraph.device",
          "CudaGraph.replay",
          "CudaStream.current",
          "CudaStream.device",
          "CudaStream.equals",
          "CudaStream.fromPool",
          "CudaStream.hashCode",
          "CudaStream.synchronize",
          "CudaStream.toString",
          "CudaStream.use",
          "CudaStream.Use.close",
          "CudaMemory.Peak.allocated",
          "CudaMemory.Peak.reserved",
          "CudaMemory.Peak.equals",
          "CudaMemory.Peak.hashCode",
          "CudaMemory.Peak.toString");

  /** They look at nothing native, or are there to be called late. */
  private static final Set<String> ANSWER_ANYWAY =
      Set.of(
          "equals",
          "hashCode",
          "toString",
          "describe",
          "close",
          "isClosed",
          "shape",
          "rank",
          "numel",
          "size");

  /** They keep a tensor for a call to come, or leave alone what is not theirs. */
  private static final Set<String> LOOK_LATER =
      Set.of(
          "OperatorCall.arg", "TensorScope.keep", "Index.of", "Tensor.describe", "Dropout.forward");

  @TempDir private static Path folder;
  private static Bystander bystander;
  private static final Rows ROWS = new Rows();

  @BeforeAll
  static void start() {
    bystander = new Bystander();
  }

  @AfterAll
  static void stop() {
    bystander.close();
  }

  @TestFactory
  Stream<DynamicTest> everyMethod() {
    return Surface.all().stream()
        .filter(m -> !NEED_MORE.contains(Surface.name(m)))
        .map(m -> dynamicTest(Rows.name(m), () -> check(m)));
  }

  private static void check(Executable call) {
    long before = Tensor.liveCount();
    worksAsItIsMeant(call);
    Parameter[] parameters = call.getParameters();
    for (int i = 0; i < parameters.length; i++) {
      if (!parameters[i].getType().isPrimitive()) {
        boolean nullable =
            parameters[i].getAnnotatedType().isAnnotationPresent(Nullable.class)
                || call.getName().equals("equals");
        one(call, i, "null", nullable ? Outcome.EITHER : Outcome.REFUSED, _ -> null);
        wrongTensors(call, i);
      }
    }
    wrongReceivers(call);
    assertThat(Tensor.liveCount()).as("tensors after %s", Rows.name(call)).isEqualTo(before);
  }

  private enum Outcome {
    REFUSED,
    EITHER
  }

  @FunctionalInterface
  private interface Wrong {
    @Nullable Object of(Kit kit);
  }

  private static void worksAsItIsMeant(Executable call) {
    try (Kit kit = new Kit(folder, bystander)) {
      Object receiver = receiver(call, kit);
      @Nullable Object[] arguments = ROWS.arguments(call, kit);
      try {
        kit.note(invoke(call, receiver, arguments));
      } catch (InvocationTargetException e) {
        throw new AssertionError(
            "%s with %s: it needs a row in Rows"
                .formatted(Rows.name(call), Arrays.deepToString(arguments)),
            e.getCause());
      }
    }
  }

  private static void wrongTensors(Executable call, int i) {
    Class<?> type = call.getParameterTypes()[i];
    boolean list =
        type == List.class
            && call.getGenericParameterTypes()[i].getTypeName().contains("torch.Tensor");
    if (type == Tensor.class || list) {
      // A record of tensors is only a place for them.
      boolean record = call instanceof Constructor<?> c && c.getDeclaringClass().isRecord();
      Outcome unusable =
          record || LOOK_LATER.contains(Surface.name(call)) ? Outcome.EITHER : Outcome.REFUSED;
      tensor(call, i, "closed", unusable, list, Kit::closed);
      tensor(call, i, "another thread's", unusable, list, Kit::foreign);
      for (DType dtype : List.of(DType.BOOL, DType.INT64, DType.FLOAT64, DType.BFLOAT16)) {
        tensor(call, i, dtype.torchName(), Outcome.EITHER, list, k -> k.ones(dtype, 1, 4, 6, 6));
      }
      tensor(call, i, "a scalar", Outcome.EITHER, list, k -> k.ones());
      tensor(call, i, "rank 9", Outcome.EITHER, list, k -> k.ones(1, 1, 1, 1, 2, 2, 1, 1, 1));
      tensor(call, i, "empty", Outcome.EITHER, list, k -> k.ones(0));
      tensor(
          call, i, "read-only", Outcome.EITHER, list, k -> k.readOnly(DType.FLOAT32, 1, 4, 6, 6));
      tensor(
          call, i, "a read-only vector", Outcome.EITHER, list, k -> k.readOnly(DType.FLOAT32, 4));
      if (list) {
        one(call, i, "a list with null", Outcome.REFUSED, _ -> Collections.singletonList(null));
        one(call, i, "an empty list", Outcome.EITHER, _ -> List.of());
      }
    } else if (type == List.class) {
      one(call, i, "a list with null", Outcome.REFUSED, _ -> Collections.singletonList(null));
    } else if (AutoCloseable.class.isAssignableFrom(type)) {
      try (Kit kit = new Kit(folder, bystander)) {
        for (Object each : kit.unusable(type)) {
          one(call, i, "closed", Outcome.EITHER, _ -> each);
        }
      }
    }
  }

  private static void tensor(
      Executable call, int i, String what, Outcome outcome, boolean list, Wrong wrong) {
    one(call, i, what, outcome, k -> list ? List.of((Tensor) value(wrong, k)) : wrong.of(k));
  }

  private static Object value(Wrong wrong, Kit kit) {
    Object value = wrong.of(kit);
    if (value == null) {
      throw new AssertionError();
    }
    return value;
  }

  private static void wrongReceivers(Executable call) {
    if (Modifier.isStatic(call.getModifiers()) || call instanceof Constructor) {
      return;
    }
    Class<?> type = call.getDeclaringClass();
    boolean answers =
        ANSWER_ANYWAY.contains(call.getName()) || !AutoCloseable.class.isAssignableFrom(type);
    try (Kit kit = new Kit(folder, bystander)) {
      for (Object receiver : kit.unusable(type)) {
        @Nullable Object[] arguments = ROWS.arguments(call, kit);
        judge(
            call,
            "on " + receiver,
            answers || !isNative(type) ? Outcome.EITHER : Outcome.REFUSED,
            receiver,
            arguments,
            kit);
        // What was closed may have been filled anew.
        kit.note(receiver);
      }
    }
  }

  /** Whether an object of the type is of no use once it is closed. */
  private static boolean isNative(Class<?> type) {
    return type == Tensor.class;
  }

  /** Calls with argument i replaced. */
  private static void one(Executable call, int i, String what, Outcome outcome, Wrong wrong) {
    try (Kit kit = new Kit(folder, bystander)) {
      Object receiver = receiver(call, kit);
      @Nullable Object[] arguments = ROWS.arguments(call, kit);
      arguments[i] = wrong.of(kit);
      judge(
          call,
          "with %s for %s".formatted(what, call.getParameters()[i].getName()),
          outcome,
          receiver,
          arguments,
          kit);
    }
  }

  private static void judge(
      Executable call,
      String what,
      Outcome expected,
      @Nullable Object receiver,
      @Nullable Object[] arguments,
      Kit kit) {
    long live = Tensor.liveCount();
    String text = Rows.name(call) + " " + what;
    try {
      Object result = invoke(call, receiver, arguments);
      kit.note(result);
      assertThat(expected).as("%s returned %s", text, result).isEqualTo(Outcome.EITHER);
    } catch (InvocationTargetException e) {
      Throwable thrown = Objects.requireNonNull(e.getCause());
      assertThat(thrown).as(text).isInstanceOf(RdmException.class);
      assertThat(thrown.getMessage()).as(text).isNotBlank().doesNotContain("\n");
      assertThat(Tensor.liveCount()).as("tensors after " + text).isEqualTo(live);
    }
  }

  private static @Nullable Object receiver(Executable call, Kit kit) {
    if (Modifier.isStatic(call.getModifiers()) || call instanceof Constructor) {
      return null;
    }
    Class<?> type = call.getDeclaringClass();
    Object receiver = kit.receiver(call);
    if (receiver == null) {
      for (Constructor<?> c : type.getConstructors()) {
        try {
          receiver = c.newInstance(ROWS.arguments(c, kit));
          kit.note(receiver);
        } catch (ReflectiveOperationException e) {
          throw new LinkageError("an object of " + type, e);
        }
      }
    }
    if (receiver == null) {
      throw new AssertionError("%s: Kit makes no %s".formatted(Rows.name(call), type.getName()));
    }
    return receiver;
  }

  private static @Nullable Object invoke(
      Executable call, @Nullable Object receiver, @Nullable Object[] arguments)
      throws InvocationTargetException {
    try {
      return switch (call) {
        case Method m -> m.invoke(receiver, arguments);
        case Constructor<?> c -> c.newInstance(arguments);
      };
    } catch (IllegalAccessException | InstantiationException e) {
      throw new LinkageError(Rows.name(call), e);
    }
  }
}
