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
 * A state that was read to its end: everything that a run needs of it is there and undamaged.
 *
 * @param file of the state
 * @param images trained on so far
 * @param seed of the run; empty for a state of the official code
 * @param recorded the options and data of the run; empty where the state does not have them
 */
public record StoredState(
    Path file, long images, OptionalLong seed, Optional<RecordedRun> recorded) {
  /**
   * Reads a state, all of its tensors included.
   *
   * @throws FileException naming the file and what is wrong with it
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
   * Refuses a run that has another network than this state's.
   *
   * @param options of the run
   * @param wanted its network
   * @throws FileException naming each difference, or the tensor that does not fit
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
              file, "is of another network than the options: " + e.getMessage(), e);
        }
      }
    }
  }
}
