// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.TensorShape;

/**
 * A state that was read completely: everything that a run needs from it exists and is undamaged.
 *
 * @param file of the state
 * @param images trained on so far
 * @param seed of the run; empty for a state of the official code
 * @param recorded the options and data of the run; empty if not recorded in the state
 */
public record StoredState(
    Path file, long images, OptionalLong seed, Optional<RecordedRun> recorded) {
  /**
   * Reads a state, including all of its tensors.
   *
   * @throws FileException naming the file and the error
   */
  public static StoredState read(Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      for (Which which : Which.values()) {
        checkpoint.network(which).state();
      }
      checkpoint
          .optimizer()
          .orElseThrow(() -> new FileException(file, "has no optimizer state to resume from"))
          .parameters()
          .values()
          .forEach(p -> p.tensors().values().forEach(t -> t.data()));
      Optional<ResumePoint> point = ResumePoint.of(checkpoint);
      return new StoredState(
          file,
          point.map(p -> p.progress().images()).orElse(StateFiles.kimgOf(file).orElse(0L) * 1000),
          point.map(p -> OptionalLong.of(p.seed())).orElse(OptionalLong.empty()),
          point.flatMap(ResumePoint::recorded));
    }
  }

  /**
   * Rejects a run whose network differs from that of this state.
   *
   * @param options of the run
   * @param wanted its network
   * @throws FileException naming each difference, or the tensor that does not match
   */
  public void requireNetwork(Map<String, ?> options, ModelConfig wanted) {
    recorded.ifPresent(run -> OptionDifferences.between(run.options(), options).refuse(file));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      for (Which which : Which.values()) {
        NetworkRecord network = checkpoint.network(which);
        Map<String, TensorShape> shapes = new LinkedHashMap<>();
        network
            .tensors()
            .forEach((name, t) -> shapes.put(name, TensorShape.of(t.dtype(), t.shape())));
        try {
          Preconditioner.check(wanted, shapes, network.modules());
        } catch (RdmException e) {
          throw new FileException(
              file, "does not match the network of the options: " + e.getMessage(), e);
        }
      }
    }
  }
}
