// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Operator;
import org.relaydiffusion.torch.OperatorCall;
import org.relaydiffusion.torch.OperatorSchema;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.SchemaType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.distributed.FileStore;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.WaitListener;
import org.relaydiffusion.torch.nn.Initializer;
import org.relaydiffusion.torch.nn.Module;

/**
 * Draws arguments: fitting ones, and those that nobody should pass. What calls returned is drawn
 * again. Everything that was seen is closed by {@link #close}.
 */
final class Operands implements AutoCloseable {
  private static final long[] LONGS = {
    0,
    1,
    2,
    3,
    4,
    6,
    -1,
    -2,
    -4,
    7,
    36,
    255,
    65535,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    1L << 40,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };
  private static final double[] DOUBLES = {
    0,
    1,
    -1,
    0.5,
    0.1,
    2,
    1e-8,
    1e300,
    -1e300,
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.MIN_VALUE
  };
  private static final String[] STRINGS = {
    "",
    "cpu",
    "cuda:1",
    "float32",
    "F32",
    "ncq,nck->nqk",
    "ij,jk->ik",
    "...",
    "->",
    "L",
    "none",
    "weight",
    "a.b",
    "\0",
    "\uD800",
    "aten::mul.Tensor",
    "aten::erf",
    "%s%n",
    "x".repeat(5000)
  };

  /** Operators of all kinds of arguments, most of which no method of ours calls. */
  private static final String[] OPERATORS = {
    "aten::erf",
    "aten::tril",
    "aten::mul_.Tensor",
    "aten::sum.dim_IntList",
    "aten::topk",
    "aten::layer_norm",
    "aten::index.Tensor",
    "aten::embedding",
    "aten::argmax",
    "aten::sort",
    "aten::cumsum",
    "aten::cumprod",
    "aten::std.correction",
    "aten::var.correction",
    "aten::median",
    "aten::kthvalue",
    "aten::mode",
    "aten::unique_dim",
    "aten::bincount",
    "aten::diagonal",
    "aten::diag_embed",
    "aten::flatten.using_ints",
    "aten::unfold",
    "aten::unflatten.int",
    "aten::movedim.intlist",
    "aten::squeeze.dims",
    "aten::split.Tensor",
    "aten::split_with_sizes",
    "aten::tensor_split.sections",
    "aten::take_along_dim",
    "aten::scatter.src",
    "aten::scatter_add",
    "aten::index_add",
    "aten::index_put",
    "aten::masked_select",
    "aten::masked_scatter",
    "aten::nonzero",
    "aten::searchsorted.Tensor",
    "aten::bucketize.Tensor",
    "aten::conv1d",
    "aten::conv3d",
    "aten::conv2d.padding",
    "aten::max_pool3d",
    "aten::avg_pool1d",
    "aten::adaptive_avg_pool2d",
    "aten::pixel_shuffle",
    "aten::pixel_unshuffle",
    "aten::upsample_bilinear2d",
    "aten::upsample_bicubic2d",
    "aten::replication_pad2d",
    "aten::instance_norm",
    "aten::rms_norm",
    "aten::glu",
    "aten::gelu",
    "aten::log_softmax.int",
    "aten::logsumexp",
    "aten::cross_entropy_loss",
    "aten::nll_loss",
    "aten::mse_loss",
    "aten::binary_cross_entropy",
    "aten::kl_div",
    "aten::cosine_similarity",
    "aten::pdist",
    "aten::linalg_solve",
    "aten::linalg_qr",
    "aten::linalg_svd",
    "aten::linalg_inv_ex",
    "aten::linalg_det",
    "aten::matrix_exp",
    "aten::tensordot",
    "aten::outer",
    "aten::cross",
    "aten::kron",
    "aten::trapezoid.x",
    "aten::multinomial",
    "aten::bernoulli",
    "aten::fft_fft2",
    "aten::stft",
    "aten::roll",
    "aten::rot90",
    "aten::meshgrid",
    "aten::cartesian_prod",
    "aten::zero_",
    "aten::sort.stable",
    "aten::floor_divide",
    "aten::remainder.Tensor",
    "aten::bitwise_and.Tensor",
    "aten::logical_not",
    "aten::isin.Tensor_Tensor",
    "aten::repeat_interleave.Tensor",
    "aten::is_nonzero",
    "aten::item",
    "aten::equal",
    "aten::lerp.Tensor",
    "aten::copy_",
    "aten::resize_",
    "aten::as_strided",
    "aten::set_",
    "aten::to_sparse",
    "aten::to_mkldnn",
    "aten::nan_to_num",
    "aten::view.dtype",
    "aten::gru.input",
    "aten::_foreach_add_.List",
    "aten::_foreach_norm.Scalar",
    "aten::grid_sampler_3d",
    "aten::affine_grid_generator",
    "aten::lu_unpack",
    "aten::cholesky_inverse",
    "aten::cdist"
  };

  private static final long[][] SHAPES = {
    {},
    {0},
    {1},
    {4},
    {2, 3},
    {4, 4},
    {3, 4, 4},
    {1, 4, 6, 6},
    {4, 4, 3, 3},
    {2, 0, 3},
    {1, 1, 1, 1},
    {36},
    {1, 2, 3},
    {2, 3, 4, 2}
  };

  /**
   * So many elements of a view that no copy of it as float32 fits into this process's memory, and
   * no array of Java's; few enough to be gone through in seconds.
   */
  private static final long HUGE = 1L << 31;

  private final SplittableRandom random;
  private final Bystander bystander;
  private final Path folder;
  private final Map<Class<?>, List<Object>> pool = new HashMap<>();
  private final Set<AutoCloseable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<AutoCloseable> inOrder = new ArrayList<>();

  /** Thrown by arguments that are called back. */
  static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refusal() {
      super("a callback of the caller's failed");
    }
  }

  /** A module with parts. */
  static final class Net extends Module {
    Net() {
      Initializer ones = (_, shape) -> Torch.ones(DType.FLOAT32, shape);
      parameter("weight", ones, 4, 4, 3, 3);
      parameter("bias", ones, 4);
      buffer("steps", ones, 1);
    }
  }

  /**
   * Operands for a number of calls.
   *
   * @param folder for files
   */
  Operands(SplittableRandom random, Bystander bystander, Path folder) throws IOException {
    this.random = random;
    this.bystander = bystander;
    this.folder = folder;
    note(Generator.seeded(1));
    Net net = new Net();
    Generator generator = Generator.global();
    note(generator);
    net.initialize(generator);
    note(net);
    net.parameters()
        .forEach(p -> {
          p.value().requiresGrad(true);
          note(p);
        });
    note(MappedFile.open(mapped(folder)));
    try (Tensor weight = net.parameters().getFirst().value().detach()) {
      note(PackedConv2d.pack(weight, null, 1, 6));
    }
    note(bystander.scope());
    note(bystander.gradMode());
    note(operator());
    for (int i = 0; i < 12; i++) {
      note(tensor());
    }
  }

  private static Path mapped(Path folder) throws IOException {
    Path file = folder.resolve("mapped");
    if (!Files.exists(file)) {
      Files.write(file, new byte[4096]);
    }
    return file;
  }

  /** Adds a process group of this process alone, and its store. */
  void addGroup(String name) {
    FileStore store = new FileStore(folder.resolve(name), 1, Duration.ofSeconds(1));
    note(store);
    note(ProcessGroup.gloo(store, 0, 1, Duration.ofSeconds(5)));
  }

  /** Remembers a value, and whatever is in it, for later draws and for the end. */
  void note(@Nullable Object value) {
    switch (value) {
      case null -> {}
      case Collection<?> all -> all.forEach(this::note);
      case Optional<?> maybe -> maybe.ifPresent(this::note);
      case Map<?, ?> map -> map.values().forEach(this::note);
      case Record r when !isPlain(r.getClass()) -> {
        keep(r);
        for (var component : r.getClass().getRecordComponents()) {
          try {
            note(component.getAccessor().invoke(r));
          } catch (ReflectiveOperationException _) {
            // What cannot be read is not reused.
          }
        }
      }
      case AutoCloseable closeable -> {
        if (seen.add(closeable)) {
          inOrder.add(closeable);
        }
        keep(closeable);
      }
      default -> keep(value);
    }
  }

  private static boolean isPlain(Class<?> type) {
    return !type.getName().startsWith("org.relaydiffusion.torch");
  }

  private void keep(Object value) {
    for (Class<?> type = value.getClass(); type != null; type = type.getSuperclass()) {
      if (type.getName().startsWith("org.relaydiffusion.torch")) {
        List<Object> known = pool.computeIfAbsent(type, _ -> new ArrayList<>());
        if (known.size() < 64) {
          known.add(value);
        } else {
          known.set(random.nextInt(known.size()), value);
        }
      }
    }
  }

  private Operator operator() {
    while (true) {
      try {
        return Operator.named(any(OPERATORS));
      } catch (RdmException _) {
        // It has a Scalar, or this LibTorch does not have it.
      }
    }
  }

  /** A call with all its arguments of the right kind, or nearly so. */
  private OperatorCall operatorCall() {
    Operator operator = operator();
    OperatorCall call = operator.call();
    for (OperatorSchema.Parameter p : operator.schema().parameters()) {
      if (!p.isRequired() && random.nextInt(3) > 0) {
        continue;
      }
      try {
        argument(call.at(p.name()), p.type());
      } catch (RdmException _) {
        // Left out.
      }
    }
    return call;
  }

  private OperatorCall argument(OperatorCall call, SchemaType type) {
    if (type.list()) {
      return switch (type.kind()) {
        case TENSOR -> call.arg(tensors());
        case INT -> call.arg(random.nextBoolean() ? any(SHAPES) : (long[]) array(long.class));
        case FLOAT -> call.arg((double[]) array(double.class));
        case BOOL -> call.arg((boolean[]) array(boolean.class));
        default -> call.none();
      };
    }
    return switch (type.kind()) {
      case TENSOR -> call.arg(notHuge());
      case INT -> call.arg(integer());
      case FLOAT -> call.arg(real());
      case BOOL -> call.arg(random.nextBoolean());
      case STR -> call.arg(any(STRINGS));
      case DTYPE -> call.arg(any(DType.values()));
      case DEVICE -> call.arg(Device.CPU);
      case MEMORY_FORMAT -> call.arg(any(MemoryFormat.values()));
      default -> call.none();
    };
  }

  /** Some operators would go through all of it, for hours. */
  private @Nullable Tensor notHuge() {
    Tensor t = (Tensor) of(Tensor.class);
    while (isHuge(t)) {
      t = tensor();
    }
    return t;
  }

  private List<@Nullable Tensor> tensors() {
    List<@Nullable Tensor> list = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      list.add(notHuge());
    }
    return list;
  }

  /** Whether there is anything to call a method of {@code type} on. */
  Optional<Object> receiver(Class<?> type) {
    if (type.isEnum()) {
      return Optional.of(any(type.getEnumConstants()));
    }
    if (type == OperatorCall.class && random.nextInt(8) > 0) {
      return Optional.of(operatorCall());
    }
    if (type == Operator.class) {
      return Optional.of(operator());
    }
    List<Object> known = known(type);
    if (known.isEmpty() || random.nextInt(8) == 0) {
      Object made = type == Tensor.class ? tensor() : null;
      if (made == null && type.isRecord()) {
        made = construct(type);
      }
      note(made);
      return made == null && !known.isEmpty() ? Optional.of(any(known)) : Optional.ofNullable(made);
    }
    return Optional.of(any(known));
  }

  private List<Object> known(Class<?> type) {
    return pool.entrySet().stream()
        .filter(e -> type.isAssignableFrom(e.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse(List.of());
  }

  /** An argument of a type; null now and then. */
  @Nullable Object of(Type type) {
    Class<?> raw = raw(type);
    if (!raw.isPrimitive() && random.nextInt(25) == 0) {
      return null;
    }
    if (raw == boolean.class || raw == Boolean.class) {
      return random.nextBoolean();
    } else if (raw == long.class || raw == Long.class) {
      return integer();
    } else if (raw == int.class || raw == Integer.class) {
      return (int) integer();
    } else if (raw == short.class) {
      return (short) integer();
    } else if (raw == byte.class) {
      return (byte) integer();
    } else if (raw == double.class || raw == Double.class) {
      return real();
    } else if (raw == float.class) {
      return (float) real();
    } else if (raw == String.class) {
      return any(STRINGS);
    } else if (raw.isArray()) {
      return array(raw.getComponentType());
    } else if (raw == Tensor.class) {
      return random.nextInt(3) == 0 ? tensor() : receiver(Tensor.class).orElseThrow();
    } else if (raw == List.class || raw == Collection.class || raw == Iterable.class) {
      return list(type);
    } else if (raw == Map.class || raw == java.util.SortedMap.class) {
      return map(type);
    } else if (raw == Optional.class) {
      return Optional.ofNullable(of(argument(type, 0)));
    } else if (raw == Device.class) {
      return random.nextInt(10) == 0 ? new Device(Device.Type.CUDA, random.nextInt(3)) : Device.CPU;
    } else if (raw == Duration.class) {
      return any(
          List.of(
              Duration.ofMillis(20), Duration.ZERO, Duration.ofMillis(-1), Duration.ofNanos(1)));
    } else if (raw == Path.class) {
      return folder.resolve("store" + random.nextInt(1000));
    } else if (raw == TensorData.class) {
      return data();
    } else if (raw == MemorySegment.class) {
      return memory();
    } else if (raw == Supplier.class) {
      return (Supplier<Object>) () -> calledBack(argument(type, 0));
    } else if (raw == Initializer.class) {
      return (Initializer) (_, _) -> madeByCaller();
    } else if (raw == Consumer.class) {
      return (Consumer<Object>) _ -> calledBack(Object.class);
    } else if (raw == BiConsumer.class) {
      return (BiConsumer<Object, Object>) (_, _) -> calledBack(Object.class);
    } else if (raw == WaitListener.class) {
      return (WaitListener) _ -> calledBack(Object.class);
    } else if (raw.isInterface() && raw.isAnnotationPresent(FunctionalInterface.class)) {
      return null;
    } else if (raw == Object.class) {
      return any(List.of("text", 1, receiver(Tensor.class).orElseThrow()));
    }
    return receiver(raw).orElseGet(() -> construct(raw));
  }

  @SuppressWarnings("NullAway") // What a careless caller returns.
  private Tensor madeByCaller() {
    return (Tensor) calledBack(Tensor.class);
  }

  private @Nullable Object calledBack(Type type) {
    if (random.nextInt(8) == 0) {
      throw new Refusal();
    }
    return of(type);
  }

  private @Nullable Object construct(Class<?> type) {
    Constructor<?>[] constructors = type.getConstructors();
    if (constructors.length == 0 || type.getName().contains("Store")) {
      return null;
    }
    Arrays.sort(constructors, java.util.Comparator.comparing(Constructor::toGenericString));
    Constructor<?> constructor = any(constructors);
    try {
      Object made =
          constructor.newInstance(
              Arrays.stream(constructor.getGenericParameterTypes()).map(this::of).toArray());
      note(made);
      return made;
    } catch (InvocationTargetException | InstantiationException | IllegalAccessException _) {
      return null;
    }
  }

  private long integer() {
    return random.nextInt(4) == 0 ? any(LONGS) : random.nextInt(-2, 5);
  }

  private double real() {
    return random.nextBoolean() ? any(DOUBLES) : random.nextDouble();
  }

  private Object array(Class<?> component) {
    int length = random.nextInt(40) == 0 ? 40 : random.nextInt(6);
    if (random.nextInt(10) == 0) {
      // As many as one of the shapes has elements.
      length = 36;
    }
    Object array = Array.newInstance(component, length);
    for (int i = 0; i < length; i++) {
      Object value = of(component);
      if (value != null) {
        Array.set(array, i, value);
      }
    }
    if (component == long.class && random.nextBoolean()) {
      return any(SHAPES).clone();
    }
    return array;
  }

  private List<@Nullable Object> list(Type type) {
    List<@Nullable Object> list = new ArrayList<>();
    int size = random.nextInt(5);
    Object same = random.nextInt(3) == 0 ? of(argument(type, 0)) : null;
    for (int i = 0; i < size; i++) {
      list.add(same != null ? same : of(argument(type, 0)));
    }
    return list;
  }

  private Map<@Nullable Object, @Nullable Object> map(Type type) {
    Map<@Nullable Object, @Nullable Object> map = new HashMap<>();
    for (int i = random.nextInt(3); i > 0; i--) {
      map.put(of(argument(type, 0)), of(argument(type, 1)));
    }
    return map;
  }

  private MemorySegment memory() {
    MappedFile map =
        (MappedFile) inOrder.stream().filter(MappedFile.class::isInstance).findFirst().get();
    return switch (random.nextInt(6)) {
      case 0 -> Arena.ofAuto().allocate(600, 8);
      case 1 -> MemorySegment.ofArray(new byte[600]);
      case 2 -> closedMemory();
      case 3 -> Arena.ofAuto().allocate(601, 8).asSlice(1);
      default -> map.slice(64L * random.nextInt(8), 600, "memory");
    };
  }

  private static MemorySegment closedMemory() {
    try (Arena arena = Arena.ofShared()) {
      return arena.allocate(600, 8);
    }
  }

  private TensorData data() {
    long[] shape = any(SHAPES);
    DType type = any(DType.values());
    while (Arrays.stream(shape).reduce(1, (a, b) -> a * b) * type.byteSize() > 600) {
      shape = any(SHAPES);
    }
    return TensorData.contiguous(type, shape, memory());
  }

  /** A tensor of some kind. */
  private Tensor tensor() {
    Tensor made = freshTensor();
    note(made);
    return made;
  }

  private Tensor freshTensor() {
    DType type = random.nextInt(3) == 0 ? any(DType.values()) : DType.FLOAT32;
    long[] shape = any(SHAPES);
    switch (random.nextInt(14)) {
      case 0 -> {
        Tensor closed = Torch.scalar(1.0);
        closed.close();
        return closed;
      }
      case 1 -> {
        return bystander.tensor();
      }
      case 2 -> {
        MappedFile map =
            (MappedFile) inOrder.stream().filter(MappedFile.class::isInstance).findFirst().get();
        return Torch.fromData(
            TensorData.contiguous(
                DType.FLOAT32, new long[] {1, 4, 6, 6}, map.slice(64, 576, "tensor")));
      }
      case 3 -> {
        try (Tensor one = Torch.ones(type, 1)) {
          return random.nextBoolean()
              ? Shapes.expand(one, HUGE)
              : Shapes.expand(one, 1, 4, HUGE / 4, 1);
        }
      }
      case 4 -> {
        return Torch.full(any(DOUBLES), DType.FLOAT64, shape);
      }
      case 5 -> {
        return Torch.tensor(new long[] {-1, 0, 1, Long.MIN_VALUE}, 4);
      }
      case 6 -> {
        try (Tensor x = Torch.ones(type, 4, 4, 6, 6)) {
          return random.nextBoolean() ? Shapes.transpose(x, 1, 3) : Shapes.narrow(x, 2, 1, 3);
        }
      }
      case 7 -> {
        return Torch.ones(DType.FLOAT32, shape).requiresGrad(true);
      }
      case 8 -> {
        Tensor x = Torch.ones(DType.FLOAT32, shape).requiresGrad(true);
        note(x);
        return Pointwise.mul(x, x);
      }
      case 9 -> {
        Tensor x = Torch.ones(DType.FLOAT32, shape).requiresGrad(true);
        note(x);
        try (Tensor square = Pointwise.mul(x, x)) {
          return Reduction.sum(square, Reduction.KeepDim.NO);
        }
      }
      default -> {
        return Torch.ones(type, shape);
      }
    }
  }

  private <T> T any(T[] values) {
    return values[random.nextInt(values.length)];
  }

  private long any(long[] values) {
    return values[random.nextInt(values.length)];
  }

  private double any(double[] values) {
    return values[random.nextInt(values.length)];
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  private static Type argument(Type type, int index) {
    return type instanceof ParameterizedType p ? p.getActualTypeArguments()[index] : Object.class;
  }

  private static Class<?> raw(Type type) {
    return switch (type) {
      case Class<?> c -> c;
      case ParameterizedType p -> raw(p.getRawType());
      case WildcardType w -> raw(w.getUpperBounds()[0]);
      case TypeVariable<?> v -> raw(v.getBounds()[0]);
      default -> Object.class;
    };
  }

  /** Whether a value is, or has in it, a tensor of more elements than can be gone through. */
  static boolean isHuge(@Nullable Object value) {
    return switch (value) {
      case Tensor t -> {
        try {
          yield t.numel() >= HUGE / 4;
        } catch (RdmException _) {
          yield false;
        }
      }
      case Collection<?> all -> all.stream().anyMatch(Operands::isHuge);
      case null, default -> false;
    };
  }

  /** Closes all that was seen, the last first. */
  @Override
  public void close() {
    for (AutoCloseable each : inOrder.reversed()) {
      boolean isBystanders =
          each == bystander.tensor() || each == bystander.scope() || each == bystander.gradMode();
      if (!isBystanders && !(each instanceof TensorScope)) {
        try {
          each.close();
        } catch (Exception e) {
          throw new AssertionError("closing " + each.getClass(), e);
        }
      }
    }
  }
}
