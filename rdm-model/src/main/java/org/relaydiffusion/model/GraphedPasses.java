// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.Recorder.Recording;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/**
 * The passes of one network, recorded by the shapes of their operands. A thread's first pass of a
 * shape is computed as it is; at its second it is recorded with operands of its own, which are
 * filled before each replay, so that noise levels and labels are not recorded but read. A result is
 * copied out of the recording's memory. The one that was used longest ago makes room for another.
 *
 * <p>Several threads may use it; replays are one after another.
 */
final class GraphedPasses implements AutoCloseable {
  /** How many shapes are known at a time; a sampling run has a few. */
  static final int MOST = 8;

  private static final String OUT_OF_MEMORY = "out of memory";

  /** All that are open; guarded by itself. */
  private static final Set<GraphedPasses> ALL = Collections.newSetFromMap(new WeakHashMap<>());

  private static final System.Logger LOG = System.getLogger("org.relaydiffusion.model");

  /** A pass of the network. */
  @FunctionalInterface
  interface Pass {
    /**
     * Denoises.
     *
     * @param image float32 [N, C, H, W]
     * @param sigma float32 [N] or [1]
     * @param labels float32 [N, labelDim] or [1, labelDim], or none
     * @return float32 [N, C, H, W], the current scope's
     */
    Tensor apply(Tensor image, Tensor sigma, @Nullable Tensor labels);
  }

  private final Recorder recorder;
  private final Device device;
  private final Pass pass;
  private final CudaGraphs wanted;
  private final ReentrantLock lock = new ReentrantLock();

  /** In the order of their use. */
  private final Map<Key, Known> known = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * The passes of a network.
   *
   * @param device of the operands
   * @param wanted whether a pass that cannot be recorded is an error
   */
  GraphedPasses(Recorder recorder, Device device, Pass pass, CudaGraphs wanted) {
    this.recorder = recorder;
    this.device = device;
    this.pass = pass;
    this.wanted = wanted;
    synchronized (ALL) {
      ALL.add(this);
    }
  }

  /** What a recording is for. */
  private record Key(List<Long> image, long sigmas, List<Long> labels, Object place) {}

  /** What is known of a kind of pass. */
  private sealed interface Known {}

  /**
   * It came before.
   *
   * @param threads that have computed it, by their numbers: what is made at a first time is often
   *     made for each thread, so only these record it
   */
  private record Seen(Set<Long> threads) implements Known {}

  /** It cannot be recorded. */
  private record Refused() implements Known {}

  /** It was recorded, with its own operands and result. */
  private record Recorded(
      Recording recording, Tensor image, Tensor sigma, @Nullable Tensor labels, Tensor result)
      implements Known {
    void close() {
      image.close();
      sigma.close();
      if (labels != null) {
        labels.close();
      }
      result.close();
      recording.close();
    }
  }

  /**
   * As the pass, of operands of any floating type on its device.
   *
   * @throws ModelException when the pass cannot be recorded, but must be
   */
  Tensor apply(Tensor image, Tensor sigma, @Nullable Tensor labels) {
    Key key =
        new Key(
            sizes(image),
            sigma.numel(),
            labels == null ? List.of() : sizes(labels),
            recorder.place());
    try (TensorScope scope = TensorScope.open()) {
      Tensor result = null;
      lock.lock();
      try {
        Known state = known.get(key);
        long thread = Thread.currentThread().threadId();
        if (state instanceof Seen(Set<Long> threads) && !threads.add(thread)) {
          state = recordedOrRefused(key, image, sigma, labels);
          known.put(key, state);
        } else if (state == null) {
          makeRoom();
          known.put(key, new Seen(new HashSet<>(Set.of(thread))));
        }
        if (state instanceof Recorded recorded) {
          result = replayed(recorded, image, sigma, labels);
        }
      } finally {
        lock.unlock();
      }
      return scope.keep(result == null ? plain(image, sigma, labels) : result);
    }
  }

  private static List<Long> sizes(Tensor t) {
    return LongStream.of(t.shape()).boxed().toList();
  }

  private void makeRoom() {
    while (known.size() >= MOST) {
      Map.Entry<Key, Known> eldest = known.entrySet().iterator().next();
      known.remove(eldest.getKey());
      if (eldest.getValue() instanceof Recorded recorded) {
        recorded.close();
      }
    }
  }

  /** Where memory does not suffice, the recordings of all networks end, and it is tried again. */
  private Tensor plain(Tensor image, Tensor sigma, @Nullable Tensor labels) {
    try {
      return computed(image, sigma, labels);
    } catch (TorchException e) {
      if (!String.valueOf(e.getMessage()).contains(OUT_OF_MEMORY) || !endAll()) {
        throw e;
      }
      return computed(image, sigma, labels);
    }
  }

  private Tensor computed(Tensor image, Tensor sigma, @Nullable Tensor labels) {
    return pass.apply(
        image.to(DType.FLOAT32),
        sigma.reshape(-1).to(DType.FLOAT32),
        labels == null ? null : labels.to(DType.FLOAT32));
  }

  /** Ends the recordings of all networks that are not in use just now; says whether there were. */
  private static boolean endAll() {
    List<GraphedPasses> all;
    synchronized (ALL) {
      all = new ArrayList<>(ALL);
    }
    boolean any = false;
    for (GraphedPasses each : all) {
      any |= each.end();
    }
    if (any) {
      LOG.log(
          System.Logger.Level.INFO,
          "CUDA graphs were given up, as memory does not suffice: --cuda-graphs=off has none");
    }
    return any;
  }

  /** What was recorded is computed as it is from now on. */
  private boolean end() {
    if (!lock.tryLock()) {
      return false;
    }
    try {
      boolean any = false;
      for (Map.Entry<Key, Known> each : known.entrySet()) {
        if (each.getValue() instanceof Recorded recorded) {
          each.setValue(new Refused());
          recorded.close();
          any = true;
        }
      }
      return any;
    } finally {
      lock.unlock();
    }
  }

  private Known recordedOrRefused(Key key, Tensor image, Tensor sigma, @Nullable Tensor labels) {
    try {
      return recorded(key, image, sigma, labels);
    } catch (RdmException e) {
      if (wanted == CudaGraphs.ON) {
        throw new ModelException(
            "a pass of shape %s cannot be captured: %s".formatted(key.image, e.getMessage()));
      }
      LOG.log(
          System.Logger.Level.INFO,
          () ->
              "a pass of shape %s is computed without a CUDA graph: %s"
                  .formatted(key.image, e.getMessage()));
      return new Refused();
    }
  }

  private Recorded recorded(Key key, Tensor image, Tensor sigma, @Nullable Tensor labels) {
    List<Tensor> made = new ArrayList<>();
    boolean done = false;
    try {
      Tensor ownImage = own(made, image.shape());
      Tensor ownSigma = own(made, sigma.numel());
      Tensor ownLabels = labels == null ? null : own(made, labels.shape());
      fill(ownImage, ownSigma, ownLabels, image, sigma, labels);
      Recording recording =
          recorder.record(
              sharing(key.place).orElse(null),
              () -> {
                try (TensorScope _ = TensorScope.open()) {
                  made.add(pass.apply(ownImage, ownSigma, ownLabels).release());
                }
              });
      done = true;
      return new Recorded(recording, ownImage, ownSigma, ownLabels, made.getLast());
    } finally {
      if (!done) {
        made.forEach(Tensor::close);
      }
    }
  }

  private Optional<Recording> sharing(Object place) {
    return known.entrySet().stream()
        .filter(e -> e.getKey().place.equals(place))
        .flatMap(e ->
            e.getValue() instanceof Recorded(Recording recording, _, _, _, _)
                ? Stream.of(recording)
                : Stream.<Recording>empty())
        .findFirst();
  }

  private Tensor own(List<Tensor> made, long... sizes) {
    Tensor t = Torch.empty(DType.FLOAT32, device, sizes).release();
    made.add(t);
    return t;
  }

  private Tensor replayed(Recorded to, Tensor image, Tensor sigma, @Nullable Tensor labels) {
    fill(to.image, to.sigma, to.labels, image, sigma, labels);
    to.recording.replay();
    Tensor result = Torch.empty(DType.FLOAT32, device, to.result.shape());
    copy(List.of(result), List.of(to.result));
    return result;
  }

  private static void fill(
      Tensor ownImage,
      Tensor ownSigma,
      @Nullable Tensor ownLabels,
      Tensor image,
      Tensor sigma,
      @Nullable Tensor labels) {
    copy(List.of(ownImage, ownSigma), List.of(image, sigma.reshape(-1)));
    if (ownLabels != null && labels != null) {
      copy(List.of(ownLabels), List.of(labels));
    }
  }

  /** On the device, converting; in one launch where that can be done. */
  private static void copy(List<Tensor> to, List<Tensor> from) {
    Foreach.copyInPlace(to, from);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      known
          .values()
          .forEach(state -> {
            if (state instanceof Recorded recorded) {
              recorded.close();
            }
          });
      known.clear();
    } finally {
      lock.unlock();
    }
    synchronized (ALL) {
      ALL.remove(this);
    }
  }
}
