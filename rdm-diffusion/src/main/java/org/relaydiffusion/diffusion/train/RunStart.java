// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.checkpoint.OptimizerRecord;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.optim.Adam;

/** Initializes a new run with the weights, or with the complete state, that it starts from. */
final class RunStart {
  private RunStart() {}

  /**
   * Starts a run according to its options; returns its position.
   *
   * @param say receives messages about it
   */
  static Progress apply(
      Start start, TrainingRun run, World world, TrainingOptions options, Consumer<String> say) {
    return switch (start) {
      case Start.Fresh() -> new Progress(0, 0, 0);
      case Start.Transfer(Path file) -> transfer(file, run, say);
      case Start.Resume(Path file) -> resume(file, run, world, options, say);
    };
  }

  private static Progress transfer(Path file, TrainingRun run, Consumer<String> say) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      NetworkRecord record = checkpoint.network();
      copy(file, record, run.network(), Missing.KEPT);
      copy(file, record, run.average(), Missing.KEPT);
      say.accept("weights: " + file);
      return new Progress(0, 0, 0);
    }
  }

  private static Progress resume(
      Path file, TrainingRun run, World world, TrainingOptions options, Consumer<String> say) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      copy(file, checkpoint.network(Which.NET), run.network(), Missing.REFUSED);
      copy(file, checkpoint.network(Which.EMA), run.average(), Missing.REFUSED);
      OptimizerRecord optimizer =
          checkpoint
              .optimizer()
              .orElseThrow(() -> new FileException(file, "has no optimizer state to resume from"));
      load(file, optimizer, run.adam());
      Optional<ResumePoint> point = ResumePoint.of(checkpoint);
      if (point.isEmpty()) {
        long images = StateFiles.kimgOf(file).orElse(0L) * 1000;
        say.accept(
            ("state: %s, of the official code, at %s kimg; it has no generators,"
                    + " so all noise starts anew")
                .formatted(file, images / 1000));
        // As in the official code: ticks are counted from the first image of the run.
        int tick = (int) (images / (options.saving().tickKimg() * 1000));
        return new Progress(images, tick, images);
      }
      return goOn(file, point.get(), run, world, options, say);
    }
  }

  private static Progress goOn(
      Path file,
      ResumePoint point,
      TrainingRun run,
      World world,
      TrainingOptions options,
      Consumer<String> say) {
    say.accept(
        String.format(
            Locale.ROOT, "state: %s, at %.3f kimg", file, point.progress().images() / 1e3));
    boolean sameDraws =
        point.seed() == options.seed()
            && point.processes() == world.size()
            && point.batch() == options.batching().batch();
    run.restore(point, world.rank(), sameDraws);
    if (world.isFirst()) {
      compare(point, run, say);
    }
    return point.progress();
  }

  /** Reports each difference between the run that wrote a state and this one. */
  private static void compare(ResumePoint point, TrainingRun run, Consumer<String> say) {
    Map<String, @Nullable Object> now = run.recorded().options();
    Map<String, Object> known = point.options();
    OptionDifferences options =
        point.recorded().isPresent()
            ? OptionDifferences.between(point.recorded().get().options(), now)
            : OptionDifferences.between(known, now).of(known.keySet());
    options
        .text(OptionDifferences.Effect.RESULTS)
        .ifPresent(text -> say.accept("resuming with %s: results will differ".formatted(text)));
    options
        .text(OptionDifferences.Effect.NONE)
        .ifPresent(text -> say.accept("resuming with %s".formatted(text)));
    if (point.recorded().isEmpty()) {
      say.accept(
          "the state does not record the other options and the data of its run: they cannot be"
              + " compared");
      return;
    }
    String data = run.recorded().data().difference(point.recorded().get().data());
    if (!data.isEmpty()) {
      say.accept("resuming with other data (%s): results will differ".formatted(data));
    }
  }

  /** What to do about a tensor that is missing in the file. */
  private enum Missing {
    KEPT,
    REFUSED
  }

  private static void copy(Path file, NetworkRecord from, Preconditioner to, Missing missing) {
    Map<String, Parameter> state = to.state();
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open()) {
      for (Map.Entry<String, Parameter> each : state.entrySet()) {
        StoredTensor stored = from.tensors().get(each.getKey());
        if (stored == null) {
          if (missing == Missing.REFUSED) {
            throw new FileException(file, "has no tensor '%s'".formatted(each.getKey()));
          }
          continue;
        }
        if (!Arrays.equals(stored.shape(), each.getValue().shape())) {
          throw new FileException(
              file,
              ("tensor '%s' has shape %s, but that of the network has %s: the options describe"
                          + " another")
                      .formatted(
                          each.getKey(),
                          Arrays.toString(stored.shape()),
                          Arrays.toString(each.getValue().shape()))
                  + " network");
        }
        try (var _ = TensorScope.open()) {
          each.getValue().value().copyFrom(Torch.fromData(stored.data()));
        }
      }
    }
    if (missing == Missing.REFUSED) {
      for (String name : from.tensors().keySet()) {
        if (!state.containsKey(name)) {
          throw new FileException(
              file,
              "has a tensor '%s': the options describe another network"
                  .formatted(Printable.of(name)));
        }
      }
    }
  }

  private static void load(Path file, OptimizerRecord optimizer, Adam adam) {
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open()) {
      Map<Integer, Adam.State> states = new LinkedHashMap<>();
      optimizer
          .parameters()
          .forEach((number, state) ->
              states.put(
                  Math.toIntExact(number),
                  new Adam.State(
                      state.step(),
                      tensor(file, state, "exp_avg"),
                      tensor(file, state, "exp_avg_sq"))));
      adam.load(states);
    } catch (RdmException e) {
      throw e instanceof FileException
          ? e
          : new FileException(file, String.valueOf(e.getMessage()), e);
    }
  }

  private static Tensor tensor(Path file, OptimizerRecord.ParameterState state, String name) {
    StoredTensor stored = state.tensors().get(name);
    if (stored == null) {
      throw new FileException(
          file, "the optimizer state has no %s: it is not that of Adam".formatted(name));
    }
    return Torch.fromData(stored.data());
  }
}
