package org.relaydiffusion.torch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.DispatcherAbi;
import org.relaydiffusion.torch.ffi.Scratch;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * The arguments of one operator call. They stay Java values until the call, so that a call that is
 * never made (an argument's own computation failed, a tensor is closed) holds nothing native.
 */
final class OpArgs {
  private static final int EXPECTED = 12;

  private final Op op;
  private @Nullable Object[] operands = new Object[EXPECTED];
  private int size;

  /** Handles that the call takes over, in the order of the tensors among the operands. */
  private long[] taken = {};

  private int tensors;
  private int used;

  /** A present optional. */
  private record Some(Object value) {}

  OpArgs(Op op) {
    this.op = op;
  }

  /** A tensor. */
  OpArgs t(Tensor tensor) {
    tensors++;
    return push(tensor);
  }

  /** An optional tensor. */
  OpArgs optional(@Nullable Tensor tensor) {
    if (tensor == null) {
      return none();
    }
    tensors++;
    return push(new Some(tensor));
  }

  /** A list of tensors. */
  OpArgs list(List<Tensor> list) {
    tensors += list.size();
    return push(list.toArray(Tensor[]::new));
  }

  /** An integer, or an enum's number. */
  OpArgs i(long value) {
    return push(value);
  }

  /** A truth value. */
  OpArgs b(boolean value) {
    return push(value);
  }

  /** A float. */
  OpArgs d(double value) {
    return push(value);
  }

  /** A list of integers. */
  OpArgs ints(long... values) {
    return push(values);
  }

  /** A present optional list of integers. */
  OpArgs someInts(long... values) {
    return push(new Some(values));
  }

  /** A present optional integer, or enum's number. */
  OpArgs someInt(long value) {
    return push(new Some(value));
  }

  /** A present optional float. */
  OpArgs someFloat(double value) {
    return push(new Some(value));
  }

  /** A present optional truth value. */
  OpArgs someBool(boolean value) {
    return push(new Some(value));
  }

  /** A string. LibTorch 2.10 loses 32 bytes at every such call: not for what is called often. */
  OpArgs string(String value) {
    return push(value);
  }

  /** An absent optional. */
  OpArgs none() {
    return push(null);
  }

  /** Calls; the operator returns one tensor. */
  Tensor tensor() {
    return new Tensor(call().getAtIndex(JAVA_LONG, 0));
  }

  /** Calls; the operator returns {@code count} tensors. */
  Tensor[] tensors(int count) {
    MemorySegment stack = call();
    Tensor[] results = new Tensor[count];
    for (int i = 0; i < count; i++) {
      results[i] = new Tensor(stack.getAtIndex(JAVA_LONG, i));
    }
    return results;
  }

  /** Calls; the operator returns a list of tensors. */
  List<Tensor> tensorList() {
    long[] handles = DispatcherAbi.takeList(call().getAtIndex(JAVA_LONG, 0));
    return Arrays.stream(handles).mapToObj(Tensor::new).toList();
  }

  /** Calls an in-place operator, whose result is {@code self} again. */
  Tensor into(Tensor self) {
    self.checkWritable();
    TensorAbi.delete(call().getAtIndex(JAVA_LONG, 0));
    return self;
  }

  /** Calls an operator that returns nothing. */
  void done() {
    call();
  }

  /** Calls; the operator returns one truth value. */
  boolean bool() {
    return (call().getAtIndex(JAVA_LONG, 0) & 0xff) != 0;
  }

  private OpArgs push(@Nullable Object operand) {
    if (size == operands.length) {
      operands = Arrays.copyOf(operands, Scratch.stackSlots());
    }
    operands[size++] = operand;
    return this;
  }

  /** Makes the call and returns this thread's stack, with the results in it. */
  private MemorySegment call() {
    takeHandles();
    MemorySegment stack = Scratch.current().stack();
    for (int i = 0; i < size; i++) {
      stack.setAtIndex(JAVA_LONG, i, slot(operands[i]));
    }
    if (DispatcherAbi.call(op.name(), op.overload(), stack) != 0) {
      throw new TorchException(message());
    }
    return stack;
  }

  /** The one part that can fail before the call: a tensor may be closed, or another thread's. */
  private void takeHandles() {
    taken = new long[tensors];
    int count = 0;
    try {
      for (int i = 0; i < size; i++) {
        switch (operands[i]) {
          case Tensor t -> taken[count++] = t.furtherHandle();
          case Some(Tensor t) -> taken[count++] = t.furtherHandle();
          case Tensor[] list -> {
            for (Tensor t : list) {
              taken[count++] = t.furtherHandle();
            }
          }
          case null, default -> {}
        }
      }
    } catch (RuntimeException e) {
      for (long handle : taken) {
        if (handle != 0) {
          TensorAbi.delete(handle);
        }
      }
      throw e;
    }
  }

  /** The 8 bytes of an operand on the stack; what they point to, the call frees. */
  private long slot(@Nullable Object operand) {
    return switch (operand) {
      case null -> 0;
      case Tensor _ -> taken[used++];
      case Long number -> number;
      case Boolean truth -> truth ? 1 : 0;
      case Double number -> Double.doubleToRawLongBits(number);
      case long[] numbers -> DispatcherAbi.list(numbers);
      case Some(Object value) -> DispatcherAbi.some(slot(value));
      case String text -> DispatcherAbi.string(text);
      case Tensor[] list -> {
        long handles = DispatcherAbi.newList(list.length);
        for (int i = 0; i < list.length; i++) {
          DispatcherAbi.push(handles, taken[used++]);
        }
        yield handles;
      }
      default -> throw new IllegalStateException("no operand of an operator: " + operand);
    };
  }

  private String message() {
    StringJoiner text = new StringJoiner(", ", op.label() + "(", ")");
    for (int i = 0; i < size; i++) {
      text.add(describe(operands[i]));
    }
    String reason = DispatcherAbi.lastError();
    return text + " failed" + (reason == null ? "" : ": " + reason.lines().findFirst().orElse(""));
  }

  private static String describe(@Nullable Object operand) {
    return switch (operand) {
      case null -> "none";
      case Some(Object value) -> describe(value);
      case long[] numbers -> Arrays.toString(numbers);
      case Tensor[] tensors -> Arrays.toString(tensors);
      default -> operand.toString();
    };
  }
}
