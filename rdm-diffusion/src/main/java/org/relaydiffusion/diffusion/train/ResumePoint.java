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
 * What a state holds beyond the reference's, so that a run goes on bit for bit: the exact number of
 * images, the tick, the loss's factor and every process's generators. The official code passes over
 * it.
 *
 * @param progress where the run was
 * @param seed of the run
 * @param processes of the run
 * @param batch images of a step
 * @param scaler the loss's factor
 * @param host each process's CPU generator
 * @param device each process's generator on its GPU; empty where it trained on the CPU
 * @param recorded the run's options and data; empty at all processes but the first, and in states
 *     of before it was recorded
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
  /** Under which the state file has it. */
  static final String KEY = "rdm";

  private static final long FORMAT = 1;

  /** Of a run now; every process calls this at the same point. */
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

  /** The values as a state file has them. */
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
   * @throws FileException when it is there but is not that
   */
  static Optional<ResumePoint> of(Checkpoint checkpoint) {
    Object entry = checkpoint.extra().get(KEY);
    if (entry == null) {
      if (checkpoint.otherEntries().containsKey(KEY)) {
        throw new FileException(
            checkpoint.path(),
            "has, as %s, something that no run of this program wrote".formatted(KEY));
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

  /** What every state of ours says of its run's options, under their names. */
  Map<String, Object> options() {
    Map<String, Object> options = new LinkedHashMap<>();
    options.put("seed", seed);
    options.put("num_processes", (long) processes);
    options.put("batch_size", (long) batch);
    return options;
  }

  /** Gives this process's generators their states. */
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
      throw bad(key, "no whole number");
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
      throw bad(key, "no positive number");
    }

    boolean isEmpty(String key) {
      return value(key) instanceof List<?> list && list.isEmpty();
    }

    /** One state of a generator for each process, checked before any is copied. */
    List<byte[]> generators(String key, int processes, Device on) {
      if (!(value(key) instanceof List<?> list) || list.size() != processes) {
        throw bad(key, "no list of %s states".formatted(processes));
      }
      List<byte[]> all = new ArrayList<>();
      int expected = Generator.stateBytes(on);
      for (Object each : list) {
        if (!(each instanceof StoredTensor tensor)
            || tensor.dtype() != DType.UINT8
            || tensor.numel() != expected) {
          throw bad(
              "%s.%s".formatted(key, all.size()), "no uint8 tensor of %s".formatted(expected));
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
      return new FileException(file, "has, as %s.%s, %s".formatted(KEY, key, what));
    }
  }
}
