// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.OperatorCall;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Module;

/**
 * Calls random public methods of the binding with random arguments: {@code RandomCalls CALLS SEED
 * [BATCH]}. Each must return, or throw an {@link RdmException} of one line; at the end no tensor is
 * alive. Prints every call before it is made, so that the last line of the output is the one that
 * ended the process. Calls come in batches, each of which depends on the seed and its number alone:
 * with BATCH only that one is run.
 *
 * <p>Ends with 1 when there are findings.
 */
public final class RandomCalls {
  private static final int BATCH = 200;
  private static final int DISTRIBUTED_EVERY = 20;
  private static final int MOST_TEXT = 300;
  private static final Duration SLOW = Duration.ofSeconds(20);

  /** They open a connection to a host, or wait for one, whatever the arguments. */
  private static final Set<String> LEFT_OUT =
      Set.of(
          "new TcpStore",
          "new FileStore",
          "TcpStore.serve",
          "TcpStore.connect",
          "ProcessGroup.nccl");

  /** They make little of much: what a huge view has would be gone through, for minutes. */
  private static final Set<String> GO_THROUGH_ALL =
      Set.of(
          "Reduction",
          "Norms",
          "Losses",
          "Sorting",
          "Comparison",
          "TensorExpressions",
          "LinearAlgebra",
          "OperatorCall",
          "Operator",
          "Autograd");

  private final List<Executable> surface =
      Surface.all().stream().filter(e -> !LEFT_OUT.contains(Surface.name(e))).toList();
  private final List<Executable> operatorCalls =
      surface.stream().filter(e -> Surface.name(e).equals("OperatorCall.values")).toList();
  private final Rows rows = new Rows();
  private final long seed;
  private final PrintStream out;
  private final Path folder;
  private final Map<String, Integer> findings = new TreeMap<>();
  private final Map<String, Integer> succeeded = new TreeMap<>();
  private boolean inScope;
  private long values;
  private long refusals;

  /**
   * Calls to be made.
   *
   * @param out what every call is printed to
   * @param folder for files
   */
  public RandomCalls(long seed, PrintStream out, Path folder) {
    this.seed = seed;
    this.out = out;
    this.folder = folder;
  }

  /** Runs it. */
  public static void main(String[] arguments) throws IOException {
    long calls = Long.parseLong(arguments[0]);
    long seed = Long.parseLong(arguments[1]);
    Path folder = Files.createTempDirectory("random-calls");
    RandomCalls run = new RandomCalls(seed, System.out, folder);
    if (arguments.length > 2) {
      run.batch(Long.parseLong(arguments[2]));
    } else {
      run.run(calls);
    }
    System.out.println(run.summary());
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
    System.exit(run.findings.isEmpty() ? 0 : 1);
  }

  /** Makes at least so many calls. */
  public void run(long calls) throws IOException {
    for (long number = 0; number * BATCH < calls; number++) {
      batch(number);
    }
  }

  /** What was found wrong, one line each, with how often. */
  public Map<String, Integer> findings() {
    return findings;
  }

  /** The counts, in a few lines. */
  public String summary() {
    String never =
        surface.stream()
            .map(Surface::name)
            .filter(n -> !succeeded.containsKey(n))
            .distinct()
            .sorted()
            .collect(Collectors.joining(" "));
    return "seed %s: %s calls of %s methods returned, %s were refused; %s findings%s\nnever returned: %s"
        .formatted(
            seed,
            values,
            succeeded.size(),
            refusals,
            findings.values().stream().mapToInt(i -> i).sum(),
            findings.entrySet().stream()
                .map(e -> "\n  %s x %s".formatted(e.getValue(), e.getKey()))
                .collect(Collectors.joining()),
            never);
  }

  private void batch(long number) throws IOException {
    out.println("seed %s batch %s".formatted(seed, number));
    SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number);
    long before = Tensor.liveCount();
    List<Kit> kits = new ArrayList<>();
    // Half of the calls are made where no scope frees what a failing call leaves behind.
    @Nullable TensorScope scope = number % 2 == 0 ? TensorScope.open() : null;
    inScope = scope != null;
    try (Bystander bystander = new Bystander();
        Operands operands = new Operands(random, bystander, folder)) {
      if (number % DISTRIBUTED_EVERY == 0) {
        operands.addGroup("group" + number);
      }
      for (int i = 0; i < BATCH; i++) {
        Kit kit = new Kit(folder, bystander);
        kits.add(kit);
        // One class stands for all operators that no method of ours is for.
        List<Executable> from = random.nextInt(8) == 0 ? operatorCalls : surface;
        call(from.get(random.nextInt(from.size())), operands, kit, random);
      }
    } finally {
      kits.reversed().forEach(Kit::close);
      if (scope != null) {
        try {
          scope.close();
        } catch (RdmException _) {
          // One that was opened inside was left open.
        }
      }
    }
    long left = Tensor.liveCount() - before;
    if (left != 0) {
      finding("batch %s left %s tensors".formatted(number, left), null);
    }
  }

  /** Null where it cannot be made: of some things only one may be open on a thread. */
  private static @Nullable Object receiver(Kit kit, Method method) {
    try {
      return kit.receiver(method);
    } catch (TorchException _) {
      return null;
    }
  }

  private void call(Executable call, Operands operands, Kit kit, SplittableRandom random) {
    // Half of the calls are as they are meant, but for an argument or two.
    boolean meant =
        random.nextBoolean()
            && call.getDeclaringClass() != OperatorCall.class
            && !call.getDeclaringClass().getPackageName().endsWith(".distributed");
    Object receiver = null;
    if (call instanceof Method m && !Modifier.isStatic(m.getModifiers())) {
      Object meantReceiver = meant && random.nextInt(4) > 0 ? receiver(kit, m) : null;
      Optional<Object> found =
          Optional.ofNullable(meantReceiver).or(() -> operands.receiver(m.getDeclaringClass()));
      if (found.isEmpty()) {
        return;
      }
      receiver = found.get();
    }
    @Nullable Object[] arguments;
    try {
      Type[] types = call.getGenericParameterTypes();
      arguments =
          meant ? rows.arguments(call, kit) : Arrays.stream(types).map(operands::of).toArray();
      if (meant && types.length > 0) {
        for (int i = random.nextInt(3); i > 0; i--) {
          int wrong = random.nextInt(types.length);
          arguments[wrong] = operands.of(types[wrong]);
        }
      }
    } catch (Operands.Refusal _) {
      return;
    }
    String name = Surface.name(call);
    if (GO_THROUGH_ALL.contains(call.getDeclaringClass().getSimpleName())
        && (Operands.isHuge(receiver) || Stream.of(arguments).anyMatch(Operands::isHuge))) {
      return;
    }
    String text = describe(name, receiver, arguments);
    out.println(text);
    long live = Tensor.liveCount();
    long start = System.nanoTime();
    try {
      Object result =
          switch (call) {
            case Method m -> m.invoke(receiver, arguments);
            case Constructor<?> c -> c.newInstance(arguments);
            default -> throw new AssertionError(call);
          };
      operands.note(result);
      values++;
      succeeded.merge(name, 1, Integer::sum);
    } catch (InvocationTargetException e) {
      judge(text, e.getCause());
      long left = Tensor.liveCount() - live;
      if (left > 0 && !inScope && !callsBack(call)) {
        finding("%s threw and left %s tensors".formatted(name, left), null);
      }
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(text, e);
    }
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    if (took.compareTo(SLOW) > 0) {
      out.println("SLOW %s s".formatted(took.toSeconds()));
    }
  }

  private static boolean callsBack(Executable call) {
    return Arrays.stream(call.getParameterTypes())
        .anyMatch(t -> t.isAnnotationPresent(FunctionalInterface.class) || t == Module.class);
  }

  private void judge(String text, @Nullable Throwable thrown) {
    switch (thrown) {
      case RdmException e when isOneLine(e.getMessage()) -> refusals++;
      case Operands.Refusal _ -> refusals++;
      // Java's heap is small here, and an array as long as it may be does not fit.
      case OutOfMemoryError _ -> refusals++;
      case null -> throw new AssertionError(text);
      default -> {
        StackTraceElement[] stack = thrown.getStackTrace();
        String place =
            Arrays.stream(stack)
                .filter(f -> f.getClassName().startsWith("org.relaydiffusion.torch"))
                .findFirst()
                .map(StackTraceElement::toString)
                .orElse("");
        finding("%s at %s".formatted(thrown, place), thrown);
      }
    }
  }

  private static boolean isOneLine(@Nullable String message) {
    return message != null && !message.isBlank() && !message.contains("\n");
  }

  private void finding(String what, @Nullable Throwable thrown) {
    findings.merge(what, 1, Integer::sum);
    out.println("FINDING " + what);
    if (thrown != null) {
      thrown.printStackTrace(out);
    }
  }

  private static String describe(
      String name, @Nullable Object receiver, @Nullable Object[] arguments) {
    List<String> all = new ArrayList<>();
    for (Object argument : arguments) {
      all.add(describe(argument));
    }
    String text =
        "%s%s(%s)"
            .formatted(
                receiver == null ? "" : describe(receiver) + " ", name, String.join(", ", all));
    return text.length() > MOST_TEXT ? text.substring(0, MOST_TEXT) + "..." : text;
  }

  private static String describe(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case String s -> '"' + (s.length() > 40 ? s.substring(0, 40) + "..." : s) + '"';
      case Tensor t -> t.describe();
      case OperatorCall c -> c.toString();
      case Collection<?> c ->
          c.stream().map(RandomCalls::describe).collect(Collectors.joining(", ", "[", "]"));
      case Number n -> n.toString();
      case Enum<?> e -> e.toString();
      case Boolean b -> b.toString();
      case Object a when a.getClass().isArray() -> {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < Math.min(40, Array.getLength(a)); i++) {
          all.add(describe(Array.get(a, i)));
        }
        yield a.getClass().getComponentType().getSimpleName() + all;
      }
      default -> value.getClass().getSimpleName();
    };
  }
}
