// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import java.lang.foreign.Arena;
import java.lang.reflect.Executable;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.nn.Activation;
import org.relaydiffusion.torch.nn.UnaryModule;

/**
 * Arguments with which each method does what it is for. Most come from the parameters' types; a
 * method that wants others has a row in {@link #special}.
 */
final class Rows {
  private final Map<String, Function<Kit, @Nullable Object[]>> rows = new HashMap<>();

  Rows() {
    special();
  }

  private void row(String method, Function<Kit, @Nullable Object[]> arguments) {
    rows.put(method, arguments);
  }

  private static @Nullable Object[] of(@Nullable Object... arguments) {
    return arguments;
  }

  private static long[] longs(long... values) {
    return values;
  }

  /** A method with the simple names of its parameters' types, as rows are named. */
  static String name(Executable call) {
    return Arrays.stream(call.getParameterTypes())
        .map(Class::getSimpleName)
        .collect(Collectors.joining(", ", Surface.name(call) + "(", ")"));
  }

  @Nullable Object[] arguments(Executable call, Kit kit) {
    Function<Kit, @Nullable Object[]> row = rows.get(name(call));
    return row != null
        ? row.apply(kit)
        : Arrays.stream(call.getParameters()).map(p -> common(p, kit)).toArray();
  }

  private static @Nullable Object common(Parameter p, Kit kit) {
    Class<?> type = p.getType();
    String generic = p.getParameterizedType().getTypeName();
    if (type == long.class) {
      return 1L;
    } else if (type == int.class) {
      return 1;
    } else if (type == double.class) {
      return 0.5;
    } else if (type == boolean.class) {
      return true;
    } else if (type == String.class) {
      return "name";
    } else if (type == Object.class) {
      return "text";
    } else if (type == long[].class) {
      return new long[] {1};
    } else if (type == boolean[].class) {
      return new boolean[] {true};
    } else if (type == byte[].class) {
      return new byte[] {1};
    } else if (type == float[].class) {
      return new float[] {1};
    } else if (type == double[].class) {
      return new double[] {1};
    } else if (type == int[].class) {
      return new int[] {1};
    } else if (type == double[][].class) {
      return new double[][] {{1}};
    } else if (type == float[][].class) {
      return new float[][] {{1}};
    } else if (type == Collection.class) {
      return List.of(kit.ones(4));
    } else if (type == UnaryOperator.class) {
      return UnaryOperator.<Tensor>identity();
    } else if (type == UnaryModule[].class) {
      return new UnaryModule[] {Activation.tanh()};
    } else if (type == String[].class) {
      return new String[] {"name"};
    } else if (type == DType.class) {
      return DType.FLOAT32;
    } else if (type == Optional.class) {
      return Optional.empty();
    } else if (type == List.class && generic.contains("nn.Parameter")) {
      return kit.parameters();
    } else if (type == List.class) {
      return List.of(kit.ones(4), kit.ones(4));
    } else if (type == Map.class) {
      return Map.of();
    } else if (type == Consumer.class) {
      return (Consumer<Object>) _ -> {};
    } else if (type == BiConsumer.class) {
      return (BiConsumer<Object, Object>) (_, _) -> {};
    } else if (type == Supplier.class) {
      return (Supplier<Object>) kit::loss;
    }
    return kit.of(type);
  }

  private void special() {
    Function<Kit, Tensor> image = k -> k.get(Tensor.class);
    Function<Kit, Tensor> weight = k -> k.ones(4, 4, 3, 3);
    Function<Kit, Tensor> matrix = k -> k.ones(1, 1);
    row(
        "ActivationCheckpoints.segment(Function, List)",
        k ->
            of(
                (Function<List<Tensor>, Tensor>)
                    in -> in.isEmpty() ? k.loss() : in.getFirst().mul(in.getFirst()),
                List.of(k.ones(4))));
    row(
        "Autograd.backward(Tensor, Tensor, Graph)",
        k -> of(k.loss(), null, org.relaydiffusion.torch.Autograd.Graph.FREE));
    row(
        "Autograd.grad(List, List)",
        k -> {
          Tensor leaf = k.ones(1).requiresGrad(true);
          Tensor square = leaf.mul(leaf);
          k.note(square);
          return of(List.of(square), List.of(leaf));
        });
    row(
        "Autograd.grad(List, List, List, Graph)",
        k -> {
          Tensor leaf = k.ones(1).requiresGrad(true);
          Tensor square = leaf.mul(leaf);
          k.note(square);
          return of(
              List.of(square),
              List.of(leaf),
              List.of(k.ones(1)),
              org.relaydiffusion.torch.Autograd.Graph.FREE);
        });
    row("Tensor.backward()", _ -> of());
    row("Device.parse(String)", _ -> of("cpu"));
    row("new Device(Type, int)", _ -> of(Device.Type.CPU, 0));
    row("Fourier.irfft(Tensor, int)", k -> of(k.ones(3, 2), 4));
    row(
        "Functional.affineGrid(Tensor, long, long, long, long)",
        k -> of(k.ones(1, 2, 3), 1L, 1L, 2L, 2L));
    row(
        "Functional.gridSampleBilinear(Tensor, Tensor, Beyond)",
        k ->
            of(
                image.apply(k),
                k.ones(1, 2, 2, 2),
                org.relaydiffusion.torch.Functional.Beyond.ZEROS));
    row(
        "Functional.batchNorm(Tensor, Tensor, Tensor, Tensor, Tensor, double)",
        k -> of(image.apply(k), k.ones(4), k.ones(4), k.ones(4), k.ones(4), 0.1));
    for (String s : List.of("int, int", "int, Padding2d", "Stride2d, Padding2d")) {
      row(
          "Functional.conv2d(Tensor, Tensor, Tensor, " + s + ", int)",
          k ->
              of(
                  image.apply(k),
                  weight.apply(k),
                  k.ones(4),
                  s.startsWith("int") ? 1 : k.get(org.relaydiffusion.torch.Stride2d.class),
                  s.endsWith("int") ? 1 : k.get(org.relaydiffusion.torch.Padding2d.class),
                  1));
    }
    row(
        "Functional.convTranspose2d(Tensor, Tensor, Tensor, int, int, int)",
        k -> of(image.apply(k), weight.apply(k), k.ones(4), 1, 1, 1));
    row(
        "Functional.linear(Tensor, Tensor, Tensor)",
        k -> of(k.ones(2, 4), k.ones(3, 4), k.ones(3)));
    row(
        "Functional.groupNorm(Tensor, int, Tensor, Tensor, double)",
        k -> of(image.apply(k), 2, k.ones(4), k.ones(4), 0.1));
    row("Functional.averagePool(Tensor, int, int, int)", k -> of(image.apply(k), 2, 2, 1));
    row("Functional.maxPool(Tensor, int, int, int)", k -> of(image.apply(k), 2, 2, 1));
    row(
        "Generator.checkState(byte[], Device)",
        k -> of(k.get(org.relaydiffusion.torch.Generator.class).state(), Device.CPU));
    row(
        "Generator.restore(byte[])",
        k -> of((Object) k.get(org.relaydiffusion.torch.Generator.class).state()));
    row(
        "Generator.fillNormal(List, Tensor)",
        k -> of(List.of(k.get(org.relaydiffusion.torch.Generator.class)), k.ones(1, 4)));
    row("LaunchGrid.parse(String)", _ -> of("a100"));
    row("LinearAlgebra.bmm(Tensor, Tensor)", k -> of(k.ones(1, 2, 2), k.ones(1, 2, 2)));
    row("LinearAlgebra.matmul(Tensor, Tensor)", k -> of(matrix.apply(k), matrix.apply(k)));
    row(
        "LinearAlgebra.einsum(String, Tensor, Tensor)",
        k -> of("ij,jk->ik", matrix.apply(k), matrix.apply(k)));
    for (String m : List.of("cholesky", "eigh", "eigvalsh", "svdvals")) {
      row("LinearAlgebra." + m + "(Tensor)", k -> of(matrix.apply(k)));
    }
    row(
        "LinearAlgebra.solveTriangular(Tensor, Triangle, Tensor)",
        k ->
            of(
                matrix.apply(k),
                org.relaydiffusion.torch.LinearAlgebra.Triangle.LOWER,
                matrix.apply(k)));
    row("Operator.of(String)", _ -> of("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor"));
    row(
        "OperatorSchema.parse(String)",
        _ -> of("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor"));
    row("Operator.named(String)", _ -> of("aten::tril"));
    row(
        "new OperatorSchema(String, String, List, List)",
        _ -> of("aten::x", "", List.of(), List.of()));
    row("OperatorCall.at(String)", _ -> of("self"));
    row(
        "PackedConv2d.pack(Tensor, Tensor, Geometry)",
        k ->
            of(
                weight.apply(k),
                k.ones(4),
                k.get(org.relaydiffusion.torch.PackedConv2d.Geometry.class)));
    row("PackedConv2d.pack(Tensor, Tensor, int, int)", k -> of(weight.apply(k), k.ones(4), 1, 6));
    row(
        "Pointwise.where(Tensor, Tensor, Tensor)",
        k -> of(k.ones(DType.BOOL, 4), k.ones(4), k.ones(4)));
    row("Functional.embedding(Tensor, Tensor)", k -> of(k.ones(3, 4), k.longs(1, 0)));
    row("Functional.oneHot(Tensor, int)", k -> of(k.longs(1, 0), 2));
    row(
        "Functional.layerNorm(Tensor, long[], Tensor, Tensor, double)",
        k -> of(k.ones(2, 4), longs(4), k.ones(4), k.ones(4), 0.1));
    row("TensorExpressions.expand(long[])", _ -> of((Object) longs(1, 4, 6, 6)));
    row("TensorExpressions.permute(long[])", _ -> of((Object) longs(0, 2, 3, 1)));
    row("TensorExpressions.reshape(long[])", _ -> of((Object) longs(4, 36)));
    row(
        "TensorExpressions.index(Index[])",
        _ ->
            of(
                (Object)
                    new org.relaydiffusion.torch.Index[] {org.relaydiffusion.torch.Index.at(0)}));
    row(
        "TensorExpressions.indexPut(Tensor, Index[])",
        k ->
            of(
                k.ones(),
                new org.relaydiffusion.torch.Index[] {org.relaydiffusion.torch.Index.at(0)}));
    row("Embedding.forward(Tensor)", k -> of(k.longs(0)));
    row("LayerNorm.forward(Tensor)", k -> of(k.ones(2, 4)));
    row("Linear.forward(Tensor)", k -> of(k.ones(2, 4)));
    row("Conv2d.forward(Tensor)", k -> of(k.ones(1, 4, 4, 4)));
    row("Losses.nll(Tensor, Tensor)", k -> of(k.ones(2, 3), k.longs(0, 1)));
    row(
        "Losses.crossEntropy(Tensor, Tensor, Tensor, Total, double)",
        k ->
            of(
                k.ones(2, 3),
                k.longs(0, 1),
                k.ones(3),
                org.relaydiffusion.torch.Losses.Total.MEAN,
                0.0));
    row("Losses.crossEntropy(Tensor, Tensor)", k -> of(k.ones(2, 3), k.longs(0, 1)));
    row(
        "Shapes.maskedFill(Tensor, Tensor, double)",
        k -> of(k.ones(4), k.ones(DType.BOOL, 4), 0.5));
    row("Shapes.maskedSelect(Tensor, Tensor)", k -> of(k.ones(4), k.ones(DType.BOOL, 4)));
    for (String m : List.of("scatter", "scatterAdd")) {
      row(
          "Shapes." + m + "(Tensor, int, Tensor, Tensor)",
          k -> of(k.ones(4), 0, k.longs(1), k.ones(1)));
    }
    row("Shapes.cat(List, int)", k -> of(List.of(k.ones(4), k.ones(4)), 0));
    row("Shapes.expand(Tensor, long[])", k -> of(k.ones(1, 4), longs(3, 4)));
    row("Shapes.gather(Tensor, int, Tensor)", k -> of(k.ones(4), 0, k.longs(1)));
    row("Shapes.indexSelect(Tensor, int, Tensor)", k -> of(k.ones(4), 0, k.longs(1)));
    row(
        "Shapes.indexCopy(Tensor, int, Tensor, Tensor)",
        k -> of(k.ones(4), 0, k.longs(1), k.ones(1)));
    row("Shapes.permute(Tensor, long[])", k -> of(image.apply(k), longs(0, 2, 3, 1)));
    row("Shapes.repeat(Tensor, long[])", k -> of(k.ones(4), longs(2)));
    row("Shapes.reshape(Tensor, long[])", k -> of(image.apply(k), longs(4, 36)));
    row("Tensor.reshape(long[])", _ -> of((Object) longs(4, 36)));
    row("Tensor.setGrad(Tensor)", k -> of(k.ones(1, 4, 6, 6)));
    row(
        "Torch.emptyStrided(DType, Device, long[], long[])",
        _ -> of(DType.FLOAT32, Device.CPU, longs(2), longs(1)));
    row(
        "new TensorData(DType, long[], long[], MemorySegment)",
        _ -> of(DType.FLOAT32, longs(2), longs(1), Arena.ofAuto().allocate(8, 8)));
    row("Parameter.set(Tensor)", k -> of(weight.apply(k)));
    row("Foreach.addcdivInPlace(List, List, List, double[])", Rows::three);
    row("Foreach.addcmulInPlace(List, List, List, double[])", Rows::three);
    row("new AdamLists(List, List, List, List, List)", Rows::adamLists);
    row("new Foreach.AdamLists(List, List, List, List, List)", Rows::adamLists);
    row(
        "Foreach.fusedAdamInPlace(AdamLists, double, double, double, double)",
        k -> of(lists(k), 0.1, 0.9, 0.99, 0.1));
    row("new Options(double, double, double, int)", _ -> of(1.0, 2.0, 0.5, 1));
    row("new DynamicLossScaler.Options(double, double, double, int)", _ -> of(1.0, 2.0, 0.5, 1));
    row(
        "DynamicLossScaler.restore(State)",
        _ -> of(new org.relaydiffusion.torch.amp.LossScaler.State(2, 0)));
    row(
        "StaticLossScaler.restore(State)",
        _ -> of(new org.relaydiffusion.torch.amp.LossScaler.State(2, 0)));
    row(
        "LossScaler.restore(State)",
        _ -> of(new org.relaydiffusion.torch.amp.LossScaler.State(2, 0)));
    row(
        "new DynamicLossScaler(Options)",
        _ -> of(org.relaydiffusion.torch.amp.DynamicLossScaler.Options.DEFAULT));
    row(
        "new Adam(List, AdamOptions)",
        k -> of(k.parameters(), org.relaydiffusion.torch.optim.AdamOptions.DEFAULT));
    row(
        "Adam.reference(List, AdamOptions)",
        k -> of(k.parameters(), org.relaydiffusion.torch.optim.AdamOptions.DEFAULT));
    row(
        "new DistributedDataParallel(Module, ProcessGroup, DdpOptions)",
        k ->
            of(
                k.get(Kit.Net.class),
                k.get(org.relaydiffusion.torch.distributed.ProcessGroup.class),
                org.relaydiffusion.torch.distributed.DdpOptions.DEFAULT));
    row("ProcessGroup.broadcast(List, int)", k -> of(List.of(k.ones(4)), 0));
    row(
        "ProcessGroup.gloo(Store, int, int, Duration)",
        k ->
            of(
                k.get(org.relaydiffusion.torch.distributed.Store.class),
                0,
                1,
                java.time.Duration.ofSeconds(20)));
    row("DistributedDataParallel.backward(Tensor)", k -> of(k.loss()));
    row(
        "Store.get(String)",
        k -> {
          k.get(org.relaydiffusion.torch.distributed.Store.class).set("known", new byte[] {1});
          return of("known");
        });
    row(
        "Store.await(Duration, String[])",
        k -> {
          k.get(org.relaydiffusion.torch.distributed.Store.class).set("known", new byte[] {1});
          return of(java.time.Duration.ofSeconds(5), new String[] {"known"});
        });
  }

  private static @Nullable Object[] three(Kit k) {
    return of(List.of(k.ones(4)), List.of(k.ones(4)), List.of(k.ones(4)), new double[] {1});
  }

  private static @Nullable Object[] adamLists(Kit k) {
    return of(
        List.of(k.ones(4)),
        List.of(k.ones(4)),
        List.of(k.ones(4)),
        List.of(k.ones(4)),
        List.of(k.ones()));
  }

  private static Foreach.AdamLists lists(Kit k) {
    return new Foreach.AdamLists(
        List.of(k.ones(4)),
        List.of(k.ones(4)),
        List.of(k.ones(4)),
        List.of(k.ones(4)),
        List.of(k.ones()));
  }
}
