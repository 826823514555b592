// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.amp.LossScaler;

/**
 * The data of a state in addition to the reference's, with which a run can be resumed bit for bit:
 * the exact number of images, the tick, the loss scale and the generators of all processes. The
 * official code ignores it.
 *
 * @param progress the position of the run
 * @param seed of the run
 * @param processes of the run
 * @param batch the batch size
 * @param scaler the state of the loss scaler
 * @param host the CPU generator of each process
 * @param device the GPU generator of each process; empty if it trained on the CPU
 * @param recorded the run's options and data; empty in all processes but the first, and in states
 *     of earlier versions
 */
record ResumePoint(
    Progress progress,
    long seed,
    int processes,
    int batch,
    LossScaler.State scaler,
    List<byte[]> host,
    List<byte[]> device,
    Optional<RecordedRun> recorded) {
  /** The key in the state file. */
  static final String KEY = "rdm";

  private static final long FORMAT = 1;

  /** Returns the current point of a run; every process calls this at the same point. */
  static ResumePoint gather(
      TrainingRun run, World world, Progress progress, TrainingOptions options) {
    boolean cuda = options.running().device().type() != Device.Type.CPU;
    return new ResumePoint(
        progress,
        options.seed(),
        world.size(),
        options.batching().batch(),
        run.scaler().state(),
        world.gather(run.noise().host().state()),
        cuda ? world.gather(run.noise().device().state()) : List.of(),
        world.isFirst() ? Optional.of(run.recorded()) : Optional.empty());
  }

  /** Returns the values as stored in a state file. */
  Map<String, @Nullable Object> plain() {
    Map<String, @Nullable Object> plain = new LinkedHashMap<>();
    plain.put("format", FORMAT);
    plain.put("nimg", progress.images());
    plain.put("tick", (long) progress.tick());
    plain.put("tick_start_nimg", progress.tickImages());
    plain.put("seed", seed);
    plain.put("num_processes", (long) processes);
    plain.put("batch_size", (long) batch);
    plain.put("loss_scale", scaler.scale());
    plain.put("loss_scale_steps", (long) scaler.growthTracker());
    plain.put("generators", host.stream().map(TensorSources::of).toList());
    plain.put("device_generators", device.stream().map(TensorSources::of).toList());
    recorded.ifPresent(run -> run.addTo(plain));
    return plain;
  }

  /**
   * Reads what {@link #plain} wrote.
   *
   * @return empty for a state of the official code
   * @throws FileException if it exists but is invalid
   */
  static Optional<ResumePoint> of(Checkpoint checkpoint) {
    Object entry = checkpoint.extra().get(KEY);
    if (entry == null) {
      if (checkpoint.otherEntries().containsKey(KEY)) {
        throw new FileException(checkpoint.path(), "has an invalid value for %s".formatted(KEY));
      }
      return Optional.empty();
    }
    Reader r = new Reader(checkpoint.path(), entry);
    if (r.integer("format") != FORMAT) {
      throw new FileException(
          checkpoint.path(),
          "was written by another version: its format is %s, expected %s"
              .formatted(r.integer("format"), FORMAT));
    }
    int processes = (int) r.atLeast("num_processes", 1, 1 << 20);
    List<byte[]> host = r.generators("generators", processes, Device.CPU);
    List<byte[]> device =
        r.isEmpty("device_generators")
            ? List.of()
            : r.generators("device_generators", processes, Device.cuda(0));
    long images = r.atLeast("nimg", 0, Long.MAX_VALUE);
    return Optional.of(
        new ResumePoint(
            new Progress(
                images,
                (int) r.atLeast("tick", 0, Integer.MAX_VALUE),
                r.atLeast("tick_start_nimg", 0, images)),
            r.atLeast("seed", 0, 0xffff_ffffL),
            processes,
            (int) r.atLeast("batch_size", 1, Integer.MAX_VALUE),
            new LossScaler.State(
                r.positive("loss_scale"),
                (int) r.atLeast("loss_scale_steps", 0, Integer.MAX_VALUE)),
            host,
            device,
            RecordedRun.of(entry)));
  }

  /** Returns the recorded options that every state contains, under their names. */
  Map<String, Object> options() {
    Map<String, Object> options = new LinkedHashMap<>();
    options.put("seed", seed);
    options.put("num_processes", (long) processes);
    options.put("batch_size", (long) batch);
    return options;
  }

  /** Restores the states of this process's generators. */
  void restore(int rank, Generator hostGenerator, Generator deviceGenerator) {
    hostGenerator.restore(host.get(rank));
    if (rank < device.size()) {
      deviceGenerator.restore(device.get(rank));
    }
  }

  private record Reader(Path file, Object entry) {
    long integer(String key) {
      if (value(key) instanceof Long number) {
        return number;
      }
      throw bad(key, "not an integer");
    }

    long atLeast(String key, long least, long most) {
      long number = integer(key);
      if (number < least || number > most) {
        throw bad(key, number + ", expected %s to %s".formatted(least, most));
      }
      return number;
    }

    double positive(String key) {
      if (value(key) instanceof Double number && number > 0 && number < Double.POSITIVE_INFINITY) {
        return number;
      }
      throw bad(key, "not a positive number");
    }

    boolean isEmpty(String key) {
      return value(key) instanceof List<?> list && list.isEmpty();
    }

    /** Returns one generator state per process, validated before any is copied. */
    List<byte[]> generators(String key, int processes, Device on) {
      if (!(value(key) instanceof List<?> list) || list.size() != processes) {
        throw bad(key, "not a list of %s states".formatted(processes));
      }
      List<byte[]> all = new ArrayList<>();
      int expected = Generator.stateBytes(on);
      for (Object each : list) {
        if (!(each instanceof StoredTensor tensor)
            || tensor.dtype() != DType.UINT8
            || tensor.numel() != expected) {
          throw bad(
              "%s.%s".formatted(key, all.size()), "not a uint8 tensor of %s".formatted(expected));
        }
        try (Tensor bytes = Torch.fromData(tensor.data())) {
          all.add(bytes.toBytes());
        }
        try {
          Generator.checkState(all.getLast(), on);
        } catch (TorchException e) {
          throw bad("%s.%s".formatted(key, all.size() - 1), String.valueOf(e.getMessage()));
        }
      }
      return all;
    }

    private @Nullable Object value(String key) {
      return entry instanceof Map<?, ?> map ? map.get(key) : null;
    }

    private FileException bad(String key, String what) {
      return new FileException(file, "has an invalid %s.%s: %s".formatted(KEY, key, what));
    }
  }
}
