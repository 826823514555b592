// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Activation checkpointing ({@code torch.utils.checkpoint}): of the segments of a network only the
 * inputs and outputs are kept for the backward pass, which computes each segment once more. A
 * training step then needs the memory of one segment at a time, and the time of a second forward
 * pass.
 *
 * <pre>{@code
 * try (var _ = ActivationCheckpoints.open()) {
 *   Tensor loss = loss(network.forward(x));   // calls segment() and boundary()
 *   loss.backward();                          // also through the segments, the last one first
 * }
 * }</pre>
 *
 * <p>A network marks its segments with {@link #segment}, and with {@link #boundary} what it
 * computes between them and uses more than once. Where no checkpoints are open on the thread, both
 * do nothing. Every gradient is then summed in the order in which LibTorch sums without
 * checkpoints, and random numbers are drawn twice from the same state of the process's default
 * generators, so that gradients are the same bits.
 *
 * <p>One backward pass of a loss belongs to one object. It serves one thread.
 */
public final class ActivationCheckpoints implements AutoCloseable {
  private static final ThreadLocal<@Nullable ActivationCheckpoints> CURRENT = new ThreadLocal<>();

  private final Thread owner = Thread.currentThread();
  private final Deque<Part> parts = new ArrayDeque<>();

  /** Whether a segment is being computed: those inside it belong to it. */
  private boolean computing;

  /** Whether the segments are being gone back through. */
  private boolean goingBack;

  private boolean closed;

  private ActivationCheckpoints() {}

  /**
   * Records the segments of this thread until closed.
   *
   * @throws TorchException on a virtual thread, or when checkpoints are open on this thread
   */
  public static ActivationCheckpoints open() {
    PlatformThread.require("activation checkpoints");
    if (CURRENT.get() != null) {
      throw new TorchException("activation checkpoints are already open on this thread");
    }
    ActivationCheckpoints opened = new ActivationCheckpoints();
    CURRENT.set(opened);
    return opened;
  }

  /**
   * Computes a segment. Where checkpoints are open and gradients are recorded, it is computed again
   * in the backward pass; then its result is a leaf. Segments inside of it are parts of it.
   *
   * @param function computes the result of its inputs and of parameters, the same one each time; it
   *     draws random numbers from the default generators only. An input that it closes is closed
   *     for the caller, too, where no checkpoints are open
   * @param inputs stay the caller's. One that is used more than once is given once for each use, in
   *     the order of the uses, so that gradients are summed in LibTorch's order
   * @return the result, the current scope's
   */
  public static Tensor segment(Function<List<Tensor>, Tensor> function, List<Tensor> inputs) {
    TorchException.requireNonNull(function, "function");
    TorchException.requireNoNulls(inputs, "inputs");
    ActivationCheckpoints open = CURRENT.get();
    return open == null || open.computing || !GradMode.isEnabled()
        ? function.apply(inputs)
        : open.record(function, List.copyOf(inputs));
  }

  /**
   * Marks what was computed outside of segments and is used by segments or more than once. Where
   * checkpoints are open, the backward pass stops there, and goes on when all gradients of it are
   * known.
   *
   * @param x stays the caller's
   * @return {@code x}, or a leaf in its place, the current scope's
   */
  public static Tensor boundary(Tensor x) {
    TorchException.requireNonNull(x, "x");
    ActivationCheckpoints open = CURRENT.get();
    if (!Autograd.records(x) || open == null || open.computing) {
      return x;
    }
    Tensor leaf = leaf(x);
    open.parts.push(new Boundary(lasting(x), lasting(leaf)));
    return leaf;
  }

  private Tensor record(Function<List<Tensor>, Tensor> function, List<Tensor> inputs) {
    Device device = inputs.isEmpty() ? Device.CPU : inputs.getFirst().device();
    GeneratorStates states = GeneratorStates.now(device);
    try (TensorScope scope = TensorScope.open()) {
      // With its graph, which is dropped: operators must be the same as in the backward pass.
      Tensor result = compute(function, leaves(inputs));
      if (!result.requiresGrad()) {
        return scope.keep(result);
      }
      Tensor leaf = leaf(result);
      List<Tensor> kept = inputs.stream().map(ActivationCheckpoints::lasting).toList();
      parts.push(new Segment(function, kept, lasting(leaf), states));
      return scope.keep(leaf);
    }
  }

  private Tensor compute(Function<List<Tensor>, Tensor> function, List<Tensor> leaves) {
    computing = true;
    try {
      return TorchException.requireNonNull(
          function.apply(leaves.stream().map(Tensor::alias).toList()), "the result of a segment");
    } finally {
      computing = false;
    }
  }

  /**
   * Goes on where a backward pass of this thread has stopped, if it has: through what was recorded,
   * adding to the gradients of parameters. {@link Tensor#backward} and {@link Autograd#backward} do
   * so themselves; it is for whoever has LibTorch itself begin the pass from the loss, as a
   * data-parallel reducer does. Without open checkpoints, and inside a segment, it does nothing.
   *
   * @throws TorchException as {@link Tensor#backward}; then the gradients are incomplete
   */
  public static void complete() {
    ActivationCheckpoints open = CURRENT.get();
    if (open != null && !open.computing && !open.goingBack) {
      open.goBack();
    }
  }

  private void goBack() {
    goingBack = true;
    try (GradMode _ = GradMode.enableGrad()) {
      while (!parts.isEmpty()) {
        try (Part part = parts.pop();
            TensorScope _ = TensorScope.open()) {
          Tensor gradient = part.leaf().grad();
          part.leaf().clearGrad();
          if (gradient != null) {
            part.backward(this, gradient);
          }
        }
      }
    } finally {
      goingBack = false;
    }
  }

  /** What the backward pass stops at: its gradient is known when all that is newer has been. */
  private sealed interface Part extends AutoCloseable {
    /** What later parts and the loss were computed from. */
    Tensor leaf();

    void backward(ActivationCheckpoints checkpoints, Tensor gradient);

    @Override
    void close();
  }

  private record Boundary(Tensor root, Tensor leaf) implements Part {
    @Override
    public void backward(ActivationCheckpoints checkpoints, Tensor gradient) {
      Autograd.backward(root, gradient, Autograd.Graph.FREE);
    }

    @Override
    public void close() {
      root.close();
      leaf.close();
    }
  }

  private record Segment(
      Function<List<Tensor>, Tensor> function,
      List<Tensor> inputs,
      Tensor leaf,
      GeneratorStates states)
      implements Part {
    @Override
    public void backward(ActivationCheckpoints checkpoints, Tensor gradient) {
      List<Tensor> leaves = leaves(inputs);
      GeneratorStates now = states.restore();
      Tensor result;
      try {
        result = checkpoints.compute(function, leaves);
      } finally {
        now.restore();
      }
      Autograd.backward(result, gradient, Autograd.Graph.FREE);
      try (GradMode _ = GradMode.noGrad()) {
        for (int i = inputs.size() - 1; i >= 0; i--) {
          Tensor mine = leaves.get(i).grad();
          if (mine != null) {
            add(inputs.get(i), mine);
          }
        }
      }
    }

    /** Adds to a gradient as LibTorch does to one that several operators contribute to. */
    private static void add(Tensor x, Tensor more) {
      Tensor before = x.grad();
      if (before == null) {
        x.setGrad(more);
      } else {
        Pointwise.addInPlace(before, more);
      }
    }

    @Override
    public void close() {
      inputs.forEach(Tensor::close);
      leaf.close();
    }
  }

  /** The states of the generators that operators draw from. */
  private record GeneratorStates(Device device, byte[] host, byte @Nullable [] other) {
    static GeneratorStates now(Device device) {
      boolean onCpu = device.type() == Device.Type.CPU;
      return new GeneratorStates(
          device, Generator.global().state(), onCpu ? null : Generator.global(device).state());
    }

    /** Goes on from these. Returns what was. */
    GeneratorStates restore() {
      GeneratorStates before = now(device);
      Generator.global().restore(host);
      if (other != null) {
        Generator.global(device).restore(other);
      }
      return before;
    }
  }

  /** The same elements, where a backward pass ends if it would go on from x. */
  private static Tensor leaf(Tensor x) {
    return x.detach().requiresGrad(x.requiresGrad());
  }

  private static List<Tensor> leaves(List<Tensor> inputs) {
    return inputs.stream().map(ActivationCheckpoints::leaf).toList();
  }

  /** The same tensor, gradient included, for as long as it is kept here. */
  private static Tensor lasting(Tensor x) {
    return x.alias().release();
  }

  private void checkOwner() {
    if (Thread.currentThread() != owner) {
      throw new TorchException(
          "these activation checkpoints belong to thread %s, not %s"
              .formatted(owner.getName(), Thread.currentThread().getName()));
    }
  }

  /**
   * Frees what was kept and forgets what was not gone back through. Closing twice is allowed.
   *
   * @throws TorchException on another thread
   */
  @Override
  public void close() {
    if (!closed) {
      checkOwner();
      closed = true;
      CURRENT.remove();
      parts.forEach(Part::close);
      parts.clear();
    }
  }
}
