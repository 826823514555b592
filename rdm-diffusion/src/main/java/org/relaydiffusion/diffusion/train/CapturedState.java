// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.NetworkContents;
import org.relaydiffusion.checkpoint.NetworkSnapshot;
import org.relaydiffusion.checkpoint.NetworkSnapshotFile;
import org.relaydiffusion.checkpoint.ObjectContents;
import org.relaydiffusion.checkpoint.OptimizerContents;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.checkpoint.TrainingState;
import org.relaydiffusion.checkpoint.TrainingStateFile;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * A copy of a run at one moment, so that it can be written while training continues. Its tensors
 * are on the CPU and owned by it.
 */
final class CapturedState implements AutoCloseable {
  private final long images;
  private final String className;
  private final Map<String, @Nullable Object> kwargs;
  private final Map<String, Tensor> average;
  private final Map<String, Tensor> network;
  private final @Nullable Optimizer optimizer;
  private final Map<String, @Nullable Object> resume;
  private final Map<String, @Nullable Object> resolved;

  private record Optimizer(
      OptimizerContents.Settings settings, int count, Map<Long, Moments> parameters) {}

  private record Moments(long step, Tensor expAvg, Tensor expAvgSq) {}

  private CapturedState(
      TrainingRun run,
      Map<String, Tensor> average,
      Map<String, Tensor> network,
      @Nullable Optimizer optimizer,
      Map<String, @Nullable Object> resume,
      Map<String, @Nullable Object> resolved) {
    this.images = run.images();
    this.className = run.network().config().preconditioning().className();
    this.kwargs = run.kwargs();
    this.average = average;
    this.network = network;
    this.optimizer = optimizer;
    this.resume = resume;
    this.resolved = resolved;
  }

  /**
   * Captures everything needed to resume. All processes call this at the same point, because each
   * has its own generators; only the first one copies tensors.
   */
  static CapturedState whole(
      TrainingRun run, World world, Progress progress, TrainingOptions options) {
    ResumePoint point = ResumePoint.gather(run, world, progress, options);
    if (!world.isFirst()) {
      return new CapturedState(run, Map.of(), Map.of(), null, Map.of(), Map.of());
    }
    try (var _ = GradMode.noGrad()) {
      Map<Long, Moments> moments = new LinkedHashMap<>();
      run.adam()
          .state()
          .forEach((i, s) ->
              moments.put((long) i, new Moments(s.step(), copy(s.expAvg()), copy(s.expAvgSq()))));
      Optimizer optimizer =
          new Optimizer(
              new OptimizerContents.Settings(
                  run.learningRate(),
                  options.adam().beta1(),
                  options.adam().beta2(),
                  options.adam().eps()),
              run.network().parameters().size(),
              moments);
      return new CapturedState(
          run, copies(run.average()), copies(run.network()), optimizer, point.plain(), Map.of());
    }
  }

  /** Captures the EMA alone, for sampling. */
  static CapturedState average(TrainingRun run) {
    try (var _ = GradMode.noGrad()) {
      return new CapturedState(
          run, copies(run.average()), Map.of(), null, Map.of(), run.resolved());
    }
  }

  private static Map<String, Tensor> copies(Preconditioner network) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    network.state().forEach((name, p) -> copies.put(name, copy(p.value())));
    return copies;
  }

  /** Returns a row-major copy on the CPU, regardless of the layout of the original. */
  private static Tensor copy(Tensor tensor) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor here = tensor.detach().to(Device.CPU).contiguous();
      // On the CPU, both of these may be an alias of the original.
      return scope.keep(Shapes.copy(here)).release();
    }
  }

  /** Returns the number of images trained on so far. */
  long images() {
    return images;
  }

  /** Writes {@code training-state-*.pt}, which the official code can also read. */
  void writeState(Path file) {
    Optimizer adam = optimizer;
    if (adam == null) {
      throw new IllegalStateException("only the EMA was captured");
    }
    Map<Long, OptimizerContents.Moments> moments = new LinkedHashMap<>();
    adam.parameters.forEach((i, m) ->
        moments.put(
            i,
            new OptimizerContents.Moments(
                m.step, TensorSources.of(m.expAvg), TensorSources.of(m.expAvgSq))));
    TrainingStateFile.write(
        file,
        new TrainingState(
            contents(average),
            contents(network),
            Optional.of(OptimizerContents.adam(adam.settings, adam.count, moments)),
            images,
            Map.of(ResumePoint.KEY, resume)));
  }

  private NetworkContents contents(Map<String, Tensor> tensors) {
    Map<String, TensorSource> sources = new LinkedHashMap<>();
    tensors.forEach((name, t) -> sources.put(name, TensorSources.of(t)));
    return new NetworkContents(className, kwargs, sources);
  }

  /** Writes the EMA as a .safetensors file with its configuration. */
  void writeSafetensors(Path file) {
    NetworkSnapshotFile.writeSafetensors(file, contents(average), Which.EMA);
  }

  /** Writes the EMA as the official code's network-snapshot-*.pkl. */
  void writePickle(Path file) {
    Map<String, @Nullable Object> loss = section("loss_kwargs").orElseThrow();
    NetworkSnapshotFile.writePickle(
        file,
        new NetworkSnapshot(
            contents(average),
            Optional.of(ObjectContents.loss(className(loss), arguments(loss))),
            section("augment_kwargs").map(a -> ObjectContents.augmentPipe(arguments(a))),
            section("dataset_kwargs").orElseThrow()));
  }

  /** Returns a part of the options under the reference's names, if the run has it. */
  @SuppressWarnings("unchecked") // These are all maps by name.
  private Optional<Map<String, @Nullable Object>> section(String name) {
    return Optional.ofNullable((Map<String, @Nullable Object>) resolved.get(name));
  }

  private static String className(Map<String, @Nullable Object> kwargs) {
    String qualified = String.valueOf(kwargs.get("class_name"));
    return qualified.substring(qualified.lastIndexOf('.') + 1);
  }

  private static Map<String, @Nullable Object> arguments(Map<String, @Nullable Object> kwargs) {
    Map<String, @Nullable Object> arguments = new LinkedHashMap<>(kwargs);
    arguments.remove("class_name");
    return arguments;
  }

  @Override
  public void close() {
    List<Tensor> all = new ArrayList<>(average.values());
    all.addAll(network.values());
    if (optimizer != null) {
      optimizer.parameters.values().forEach(m -> all.addAll(List.of(m.expAvg, m.expAvgSq)));
    }
    all.forEach(Tensor::close);
  }
}
