// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Executable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Index;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Operator;
import org.relaydiffusion.torch.OperatorCall;
import org.relaydiffusion.torch.OperatorSchema;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Padding2d;
import org.relaydiffusion.torch.SchemaType;
import org.relaydiffusion.torch.Sorting;
import org.relaydiffusion.torch.Stride2d;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorExpressions;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.amp.DynamicLossScaler;
import org.relaydiffusion.torch.amp.LossScaler;
import org.relaydiffusion.torch.amp.StaticLossScaler;
import org.relaydiffusion.torch.distributed.DdpOptions;
import org.relaydiffusion.torch.distributed.DistributedDataParallel;
import org.relaydiffusion.torch.distributed.FileStore;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.Store;
import org.relaydiffusion.torch.distributed.WaitListener;
import org.relaydiffusion.torch.nn.Activation;
import org.relaydiffusion.torch.nn.Conv2d;
import org.relaydiffusion.torch.nn.Embedding;
import org.relaydiffusion.torch.nn.Initializer;
import org.relaydiffusion.torch.nn.LayerNorm;
import org.relaydiffusion.torch.nn.Linear;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.nn.UnaryModule;
import org.relaydiffusion.torch.optim.Adam;
import org.relaydiffusion.torch.optim.AdamOptions;
import org.relaydiffusion.torch.optim.AdamWOptions;
import org.relaydiffusion.torch.optim.Optimizer;
import org.relaydiffusion.torch.optim.SgdOptions;

/** Objects to call methods on and with, made when they are first asked for and closed together. */
final class Kit implements AutoCloseable {
  private static final String ERF = "aten::erf(Tensor self) -> Tensor";

  private static final String OPTIONAL = "aten::x(Tensor? self) -> Tensor";

  /** With a parameter of every kind. */
  private static final List<String> SCHEMAS =
      List.of(
          ERF,
          "aten::dropout(Tensor input, float p, bool train) -> Tensor",
          "aten::x(int a, int[] b, float[] c, bool[] d, Tensor[] e, str f, ScalarType g, Device h,"
              + " MemoryFormat i) -> Tensor");

  private final Path folder;
  private final Bystander bystander;
  private final Map<Class<?>, Object> made = new HashMap<>();
  private final List<AutoCloseable> opened = new ArrayList<>();

  /** A network of one convolution. */
  static final class Net extends Module {
    private final Parameter weight;

    Net() {
      Initializer ones = (_, shape) -> Torch.ones(DType.FLOAT32, shape);
      weight = parameter("weight", ones, 4, 4, 3, 3);
      try (Generator generator = Generator.seeded(1)) {
        initialize(generator);
      }
      weight.value().requiresGrad(true);
      weight.value().setGrad(null);
    }
  }

  Kit(Path folder, Bystander bystander) {
    this.folder = folder;
    this.bystander = bystander;
  }

  /** An object to call a method of {@code type} on, or to pass where one is wanted. */
  @Nullable Object of(Class<?> type) {
    Object known = made.get(type);
    if (known == null) {
      known = make(type);
      if (known != null) {
        made.put(type, known);
        note(known);
      }
    }
    return known;
  }

  <T> T get(Class<T> type) {
    Object found = of(type);
    if (found == null) {
      throw new AssertionError("nothing of " + type);
    }
    return type.cast(found);
  }

  /** Remembers what is to be closed. */
  void note(@Nullable Object value) {
    switch (value) {
      case AutoCloseable c -> opened.add(c);
      case List<?> all -> all.forEach(this::note);
      case Optional<?> o -> o.ifPresent(this::note);
      case Map<?, ?> m -> m.values().forEach(this::note);
      case org.relaydiffusion.torch.LinearAlgebra.Eigen(Tensor w, Tensor v) -> note(List.of(w, v));
      case Sorting.Ranked(Tensor values, Tensor indices) -> note(List.of(values, indices));
      case null, default -> {}
    }
  }

  Tensor ones(DType type, long... sizes) {
    Tensor t = Torch.ones(type, sizes);
    note(t);
    return t;
  }

  /** float32 ones. */
  Tensor ones(long... sizes) {
    return ones(DType.FLOAT32, sizes);
  }

  Tensor longs(long... values) {
    Tensor t = Torch.tensor(values, values.length);
    note(t);
    return t;
  }

  /** A leaf of one element that requires a gradient, squared. */
  Tensor loss() {
    Tensor leaf = ones(1).requiresGrad(true);
    Tensor square = leaf.mul(leaf);
    note(square);
    return square;
  }

  Tensor closed() {
    Tensor t = Torch.ones(DType.FLOAT32, 4);
    t.close();
    return t;
  }

  Tensor foreign() {
    return bystander.tensor();
  }

  /** A tensor in a mapped file. */
  Tensor readOnly(DType type, long... sizes) {
    long bytes = type.byteSize();
    for (long s : sizes) {
      bytes *= s;
    }
    MemorySegment memory = get(MappedFile.class).slice(0, bytes, "tensor");
    Tensor t = Torch.fromData(TensorData.contiguous(type, sizes, memory));
    note(t);
    return t;
  }

  List<Parameter> parameters() {
    return get(Net.class).parameters();
  }

  /** What {@code call} does what it is for on; null where there is nothing of that type. */
  @Nullable Object receiver(Executable call) {
    Class<?> type = call.getDeclaringClass();
    if (type == OperatorCall.class) {
      return call(call.getName(), call.getParameterTypes());
    }
    if (type == Operator.class && call.getParameterCount() == 2) {
      return Operator.of("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor");
    }
    if (type == Tensor.class) {
      switch (call.getName()) {
        case "backward", "item" -> {
          return loss();
        }
        case "toBytes" -> {
          return ones(DType.UINT8, 4);
        }
        case "toDoubleMatrix", "toFloatMatrix" -> {
          return ones(2, 2);
        }
        default -> {}
      }
    }
    return of(type);
  }

  /** A call that lacks what {@code method} does to it. */
  OperatorCall call(String method, Class<?> @Nullable ... parameters) {
    Class<?> argument = parameters == null || parameters.length == 0 ? null : parameters[0];
    if (method.equals("arg") && argument != null) {
      for (String schema : SCHEMAS) {
        for (OperatorSchema.Parameter p : OperatorSchema.parse(schema).parameters()) {
          if (fits(p.type(), argument)) {
            return Operator.of(schema).call().at(p.name());
          }
        }
      }
    }
    Tensor one = ones(1);
    return switch (method) {
      case "bool" -> Operator.of("aten::is_nonzero(Tensor self) -> bool").call().arg(one);
      case "integer" ->
          Operator.of("aten::size.int(Tensor self, int dim) -> int").call().arg(one).arg(0);
      case "tensors" ->
          Operator.of("aten::frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)")
              .call()
              .arg(one);
      case "tensorList" ->
          Operator.of("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]")
              .call()
              .arg(one);
      case "run" ->
          Operator.of("aten::_foreach_zero_(Tensor(a!)[] self) -> ()").call().arg(List.of(one));
      case "none" -> Operator.of(OPTIONAL).call();
      case "tensor", "values" -> Operator.of(ERF).call().arg(one);
      default -> Operator.of(ERF).call();
    };
  }

  private static boolean fits(SchemaType type, Class<?> argument) {
    Class<?> wanted =
        switch (type.kind()) {
          case TENSOR -> type.list() ? List.class : Tensor.class;
          case INT -> type.list() ? long[].class : long.class;
          case FLOAT -> type.list() ? double[].class : double.class;
          case BOOL -> type.list() ? boolean[].class : boolean.class;
          case STR -> String.class;
          case DTYPE -> DType.class;
          case DEVICE -> Device.class;
          case MEMORY_FORMAT -> MemoryFormat.class;
          default -> Void.class;
        };
    return argument == wanted;
  }

  private static Module ready(Module module) {
    try (Generator generator = Generator.seeded(1)) {
      module.initialize(generator);
    }
    return module;
  }

  private @Nullable Object make(Class<?> type) {
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    } else if (type == Tensor.class) {
      return Torch.ones(DType.FLOAT32, 1, 4, 6, 6);
    } else if (type == TensorExpressions.class) {
      return get(Tensor.class);
    } else if (type == SgdOptions.class) {
      return SgdOptions.DEFAULT.withMomentum(0.9);
    } else if (type == AdamOptions.class) {
      return AdamOptions.DEFAULT;
    } else if (type == AdamWOptions.class) {
      return AdamWOptions.DEFAULT;
    } else if (type == Conv2d.Options.class) {
      return Conv2d.Options.DEFAULT;
    } else if (type == UnaryModule.class || type == Activation.class) {
      return Activation.tanh();
    } else if (type == Linear.class) {
      return ready(Linear.of(4, 3));
    } else if (type == Conv2d.class) {
      return ready(new Conv2d(4, 3, 3));
    } else if (type == Embedding.class) {
      return ready(new Embedding(3, 4));
    } else if (type == LayerNorm.class) {
      return ready(new LayerNorm(4));
    } else if (type == Index.class) {
      return Index.at(0);
    } else if (type == Optimizer.class) {
      return get(Adam.class);
    } else if (type == TensorScope.class) {
      return TensorScope.open();
    } else if (type == GradMode.class) {
      return GradMode.noGrad();
    } else if (type == Generator.class) {
      return Generator.seeded(1);
    } else if (type == Operator.class) {
      return Operator.of(ERF);
    } else if (type == OperatorCall.class) {
      return Operator.of(ERF).call();
    } else if (type == OperatorSchema.class) {
      return OperatorSchema.parse(ERF);
    } else if (type == OperatorSchema.Parameter.class) {
      return OperatorSchema.parse(ERF).parameters().getFirst();
    } else if (type == OperatorSchema.Result.class) {
      return OperatorSchema.parse(ERF).results().getFirst();
    } else if (type == OperatorSchema.Default.class) {
      return new OperatorSchema.Default(1L);
    } else if (type == SchemaType.class) {
      return OperatorSchema.parse(ERF).parameters().getFirst().type();
    } else if (type == PackedConv2d.class) {
      return PackedConv2d.pack(ones(4, 4, 3, 3), null, 1, 6);
    } else if (type == PackedConv2d.Geometry.class) {
      return new PackedConv2d.Geometry(
          1, new Padding2d(1, 1), 1, 6, 6, PackedConv2d.Activation.NONE);
    } else if (type == TensorData.class) {
      return TensorData.contiguous(
          DType.FLOAT32, new long[] {4}, get(MappedFile.class).slice(0, 16, "data"));
    } else if (type == MappedFile.class) {
      try {
        return MappedFile.open(Files.write(folder.resolve("mapped"), new byte[1 << 16]));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    } else if (type == Net.class || type == Module.class) {
      return new Net();
    } else if (type == Parameter.class) {
      return parameters().getFirst();
    } else if (type == Adam.class) {
      return new Adam(parameters(), AdamOptions.DEFAULT);
    } else if (type == Adam.State.class) {
      return new Adam.State(1, ones(4, 4, 3, 3), ones(4, 4, 3, 3));
    } else if (type == LossScaler.class || type == DynamicLossScaler.class) {
      return new DynamicLossScaler(DynamicLossScaler.Options.DEFAULT);
    } else if (type == StaticLossScaler.class) {
      return new StaticLossScaler(2);
    } else if (Store.class.isAssignableFrom(type)) {
      return new FileStore(folder.resolve("store" + System.nanoTime()), 1, Duration.ofSeconds(5));
    } else if (type == ProcessGroup.class) {
      return ProcessGroup.gloo(get(Store.class), 0, 1, Duration.ofSeconds(20));
    } else if (type == DistributedDataParallel.class) {
      return new DistributedDataParallel(
          get(Net.class), get(ProcessGroup.class), DdpOptions.DEFAULT);
    } else if (type == DistributedDataParallel.NoSync.class) {
      return get(DistributedDataParallel.class).noSync();
    } else if (type == Initializer.class) {
      return (Initializer) (_, shape) -> Torch.ones(DType.FLOAT32, shape);
    } else if (type == WaitListener.class) {
      return WaitListener.NONE;
    } else if (type == MemorySegment.class) {
      return Arena.ofAuto().allocate(1024, 64);
    } else if (type == Path.class) {
      return folder.resolve("file" + System.nanoTime());
    } else if (type == Duration.class) {
      return Duration.ofSeconds(5);
    } else if (type == Device.class) {
      return Device.CPU;
    } else if (type == Padding2d.class) {
      return new Padding2d(1, 1);
    } else if (type == Stride2d.class) {
      return new Stride2d(1, 1);
    }
    return null;
  }

  /** As {@link #of}, closed or of another thread; empty where there is no such thing. */
  List<Object> unusable(Class<?> type) {
    if (type == TensorScope.class) {
      return List.of(bystander.scope());
    } else if (type == GradMode.class) {
      return List.of(bystander.gradMode());
    } else if (type == Tensor.class) {
      return List.of(closed(), foreign());
    }
    try (Kit other = new Kit(folder, bystander)) {
      Object made = other.of(type);
      return made instanceof AutoCloseable ? List.of(made) : List.of();
    }
  }

  @Override
  public void close() {
    for (AutoCloseable each : opened.reversed()) {
      boolean isBystanders =
          each == bystander.tensor() || each == bystander.scope() || each == bystander.gradMode();
      if (!isBystanders) {
        try {
          each.close();
        } catch (Exception e) {
          // A scope tells of those inside it that random calls left open.
          if (!(each instanceof TensorScope)) {
            throw new AssertionError(each.getClass().toString(), e);
          }
        }
      }
    }
  }
}
