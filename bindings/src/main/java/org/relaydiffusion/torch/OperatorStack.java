// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.OperatorSchema.Result;
import org.relaydiffusion.torch.SchemaType.Kind;
import org.relaydiffusion.torch.ffi.DispatcherAbi;
import org.relaydiffusion.torch.ffi.Scratch;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Puts the arguments of a call on the dispatcher's stack, 8 bytes each, and takes its results off.
 * What an argument's slot refers to belongs to the call, which frees it; what could not be called
 * after all is given back here.
 */
final class OperatorStack {
  private OperatorStack() {}

  /**
   * Makes the call.
   *
   * @return the stack, with the results from slot 0 on
   */
  static MemorySegment invoke(OperatorCall call) {
    DeviceSimulation simulation = DeviceSimulation.current();
    if (simulation != null) {
      simulation.calling(call);
    }
    Operator operator = call.operator();
    Operator.Binding binding = operator.binding();
    OperatorSchema schema = operator.schema();
    List<Parameter> parameters = schema.parameters();
    int count = parameters.size();
    int slots = Math.max(count + binding.added().size(), schema.results().size());
    MemorySegment stack = Scratch.stack(slots);
    int put = 0;
    try {
      for (; put < count; put++) {
        stack.setAtIndex(JAVA_LONG, put, slot(parameters.get(put), call, put));
      }
      for (Parameter p : binding.added()) {
        stack.setAtIndex(JAVA_LONG, put, preset(p));
        put++;
      }
    } catch (Throwable e) {
      for (int i = 0; i < put; i++) {
        Parameter p = i < count ? parameters.get(i) : binding.added().get(i - count);
        release(p.type(), stack.getAtIndex(JAVA_LONG, i));
      }
      throw e;
    }
    if (DispatcherAbi.call(binding.symbol(), stack) != 0) {
      throw failed(call);
    }
    return stack;
  }

  private static TorchException failed(OperatorCall call) {
    String reason = DispatcherAbi.lastError();
    return TorchException.failed(call.toString(), reason, device(call));
  }

  /**
   * Calls an operator whose parameters are one or two tensors, without a list of arguments.
   *
   * @param b null where there is one
   */
  static Tensor apply(Operator operator, Tensor a, @Nullable Tensor b) {
    List<Parameter> parameters = operator.schema().parameters();
    MemorySegment stack = Scratch.stack(2);
    Parameter x = parameters.getFirst();
    long first = handle(operator, x, x.written(), a);
    if (b != null) {
      try {
        Parameter y = parameters.getLast();
        stack.setAtIndex(JAVA_LONG, 1, handle(operator, y, y.written(), b));
      } catch (Throwable e) {
        TensorAbi.delete(first);
        throw e;
      }
    }
    stack.setAtIndex(JAVA_LONG, 0, first);
    if (DispatcherAbi.call(operator.binding().symbol(), stack) != 0) {
      OperatorCall call = operator.call().arg(a);
      throw failed(b == null ? call : call.arg(b));
    }
    long handle = stack.getAtIndex(JAVA_LONG, 0);
    int written = operator.returnedArgument();
    if (written >= 0) {
      TensorAbi.delete(handle);
      return written == 0 || b == null ? a : b;
    }
    if (!TensorAbi.isDefined(handle)) {
      TensorAbi.delete(handle);
      throw new TorchException(operator + " returned no tensor");
    }
    return new Tensor(handle);
  }

  /** A device that the call computes on. */
  private static Device device(OperatorCall call) {
    for (int i = 0; i < call.operator().schema().parameters().size(); i++) {
      Object value = call.value(i);
      for (Object operand : value instanceof Object[] list ? list : new Object[] {value}) {
        if (operand instanceof Tensor t && t.device().type() == Device.Type.CUDA) {
          return t.device();
        }
      }
    }
    return Device.CPU;
  }

  // ---- arguments

  private static long slot(Parameter p, OperatorCall call, int i) {
    SchemaType type = p.type();
    Object value = call.value(i);
    if (value == null) {
      return preset(p);
    }
    if (call.isNone(i)) {
      return 0;
    }
    long present =
        call.isBits(i)
            ? bits(p, call.bits(i))
            : switch (value) {
              case Tensor tensor -> handle(call.operator(), p, isWritten(call, p), tensor);
              case long[] numbers -> DispatcherAbi.list(numbers);
              case double[] numbers -> DispatcherAbi.list(numbers);
              case boolean[] truths -> DispatcherAbi.list(truths);
              case String text -> DispatcherAbi.string(text);
              case Object[] tensors -> handles(p, tensors, call);
              default -> throw new IllegalStateException("an argument " + value);
            };
    return type.optional() ? some(type, present) : present;
  }

  private static long bits(Parameter p, long given) {
    DeviceSimulation simulation = DeviceSimulation.current();
    return simulation == null ? given : simulation.bits(p, given);
  }

  private static boolean isWritten(OperatorCall call, Parameter p) {
    return p.written() || UnmarkedWrites.writes(call, p);
  }

  private static long handle(Operator operator, Parameter p, boolean written, Tensor tensor) {
    try {
      if (written) {
        tensor.checkWritable();
      }
      if (p.written() && operator.mayReshape()) {
        tensor.prepareToChange();
      }
      return tensor.furtherHandle();
    } catch (TorchException e) {
      throw new TorchException(
          "%s: %s cannot be used: %s".formatted(operator, p.name(), e.getMessage()));
    }
  }

  private static long handles(Parameter p, @Nullable Object[] tensors, OperatorCall call) {
    SchemaType type = p.type();
    long list = DispatcherAbi.newList(tensors.length);
    try {
      for (Object element : tensors) {
        long handle =
            element == null ? 0 : handle(call.operator(), p, p.written(), (Tensor) element);
        DispatcherAbi.push(
            list, type.optionalElements() && handle != 0 ? DispatcherAbi.some(handle) : handle);
      }
      return list;
    } catch (Throwable e) {
      release(type.present(), list);
      throw e;
    }
  }

  private static long some(SchemaType optional, long present) {
    try {
      return DispatcherAbi.some(present);
    } catch (Throwable e) {
      release(optional.present(), present);
      throw e;
    }
  }

  /** The default of a parameter. */
  private static long preset(Parameter p) {
    Object value = p.preset().orElseThrow().value();
    if (value == null) {
      return 0;
    }
    long present =
        switch (value) {
          case Long number -> number;
          case Double number -> Double.doubleToRawLongBits(number);
          case Boolean truth -> truth ? 1 : 0;
          case long[] numbers -> DispatcherAbi.list(numbers);
          case double[] numbers -> DispatcherAbi.list(numbers);
          case boolean[] truths -> DispatcherAbi.list(truths);
          case String text when p.type().kind() == Kind.STR -> DispatcherAbi.string(text);
          default -> throw new IllegalStateException("a default " + value);
        };
    return p.type().optional() ? some(p.type(), present) : present;
  }

  /** Frees what a slot refers to. */
  private static void release(SchemaType type, long slot) {
    if (type.optional()) {
      if (slot != 0) {
        release(type.present(), DispatcherAbi.takeSome(slot));
      }
    } else if (type.list()) {
      for (long element : DispatcherAbi.takeList(slot)) {
        release(type.element(), element);
      }
    } else if (type.kind() == Kind.TENSOR) {
      TensorAbi.delete(slot);
    } else if (type.kind() == Kind.STR) {
      DispatcherAbi.deleteString(slot);
    }
  }

  // ---- results

  /** A result that the schema calls a tensor. */
  static Tensor tensor(OperatorCall call, int i, long handle) {
    Tensor written = call.operator().returnedArgument(call, i);
    if (written != null) {
      TensorAbi.delete(handle);
      return written;
    }
    if (!TensorAbi.isDefined(handle)) {
      TensorAbi.delete(handle);
      throw new TorchException(call + " returned no tensor");
    }
    return returned(call, new Tensor(handle));
  }

  /** A result that is a list of tensors, which is freed. */
  static List<Tensor> tensors(OperatorCall call, long list) {
    List<Tensor> tensors = new ArrayList<>();
    for (long handle : DispatcherAbi.takeList(list)) {
      tensors.add(returned(call, new Tensor(handle)));
    }
    return Collections.unmodifiableList(tensors);
  }

  private static Tensor returned(OperatorCall call, Tensor result) {
    DeviceSimulation simulation = DeviceSimulation.current();
    if (simulation != null) {
      simulation.returned(call, result);
    }
    return result;
  }

  /** Any result. */
  static @Nullable Object result(OperatorCall call, int i, long slot) {
    Result result = call.operator().schema().results().get(i);
    if (result.type().isOne(Kind.TENSOR) && !result.type().optional()) {
      return TensorAbi.isDefined(slot) || call.operator().returnedArgument(call, i) != null
          ? tensor(call, i, slot)
          : undefined(slot);
    }
    Object value = value(result.type(), slot);
    for (Object element : value instanceof List<?> list ? list : Collections.singletonList(value)) {
      if (element instanceof Tensor tensor) {
        returned(call, tensor);
      }
    }
    return value;
  }

  private static @Nullable Object value(SchemaType type, long slot) {
    if (type.optional()) {
      return slot == 0 ? null : value(type.present(), DispatcherAbi.takeSome(slot));
    }
    if (type.list()) {
      List<@Nullable Object> elements = new ArrayList<>();
      for (long element : DispatcherAbi.takeList(slot)) {
        elements.add(value(type.element(), element));
      }
      return Collections.unmodifiableList(elements);
    }
    return switch (type.kind()) {
      case TENSOR -> TensorAbi.isDefined(slot) ? new Tensor(slot) : undefined(slot);
      case INT -> slot;
      case FLOAT -> Double.longBitsToDouble(slot);
      case BOOL -> (slot & 0xff) != 0;
      case STR -> DispatcherAbi.takeString(slot);
      case DTYPE -> DType.ofCode((int) slot).orElse(null);
      case DEVICE ->
          (slot >>> Integer.SIZE) == Device.Type.CPU.code() ? Device.CPU : Device.cuda((int) slot);
      case MEMORY_FORMAT -> slot == 0 ? MemoryFormat.CONTIGUOUS : MemoryFormat.CHANNELS_LAST;
      case LAYOUT, SCALAR, OTHER -> throw new IllegalStateException("a result " + type);
    };
  }

  private static @Nullable Object undefined(long handle) {
    TensorAbi.delete(handle);
    return null;
  }

  /** Closes the tensors among results that are not handed out. */
  static void close(List<@Nullable Object> results) {
    for (Object result : results) {
      if (result instanceof Tensor t) {
        t.close();
      }
    }
  }

  // ---- values of 8 bytes

  /** Index in the lower half, type in the upper. */
  static long bits(Device device) {
    return (long) device.type().code() << Integer.SIZE | Integer.toUnsignedLong(device.index());
  }

  static String describe(Kind kind, long bits) {
    return switch (kind) {
      case FLOAT -> String.valueOf(Double.longBitsToDouble(bits));
      case BOOL -> String.valueOf(bits != 0);
      case DTYPE -> DType.ofCode((int) bits).map(DType::torchName).orElse("?");
      case DEVICE -> String.valueOf(value(new SchemaType(kind, false, false, 0, false, ""), bits));
      default -> String.valueOf(bits);
    };
  }
}
