// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.distributed.Agreement.Operation;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * The same network in every process of a group, each of which sees its own part of the data. When
 * {@link #backward} returns, every process has the same gradients, the mean of all, and the same
 * optimizer step keeps the networks equal. {@link DdpOptions.Averaging} says how that is done.
 *
 * <pre>{@code
 * try (var _ = parallel.noSync()) {
 *   parallel.backward(parallel.forward(() -> loss(first)));   // adds to this process's gradients
 * }
 * parallel.backward(parallel.forward(() -> loss(last)));      // adds, then averages
 * }</pre>
 *
 * <p>The values of the network's parameters must stay the same tensors ({@link Parameter#set} must
 * not be called) for as long as this is open. One thread at a time.
 */
public final class DistributedDataParallel implements AutoCloseable {
  private final ProcessGroup group;
  private final GradientAveraging averaging;
  private int accumulating;
  private boolean closed;

  /**
   * Gives the network of every process the parameters and buffers of rank 0, and gets ready to
   * average the gradients of those parameters that require one.
   *
   * @param network of the same shape in all processes, on the group's device; stays the caller's
   * @param group stays the caller's, and open for as long as this
   * @throws TorchException also when no parameter requires a gradient, or the networks differ
   */
  public DistributedDataParallel(Module network, ProcessGroup group, DdpOptions options) {
    this.group = TorchException.requireNonNull(group, "group");
    TorchException.requireNonNull(options, "options");
    Map<String, Parameter> state =
        distinct(TorchException.requireNonNull(network, "network").state());
    List<Tensor> values = state.values().stream().map(Parameter::value).toList();
    List<String> names = new ArrayList<>();
    List<Tensor> learned = new ArrayList<>();
    state.forEach((name, p) -> {
      if (p.kind() == Parameter.Kind.PARAMETER && p.value().requiresGrad()) {
        names.add(name);
        learned.add(p.value());
      }
    });
    if (learned.isEmpty()) {
      throw new TorchException("no parameter of this network requires a gradient");
    }
    learned.forEach(this::checkPlace);
    boolean overlapped = options.averaging().overlaps(group.device());
    group.agree(
        Operation.PARALLEL, (options.findsUnused() ? 1 : 0) + (overlapped ? 2 : 0), learned);
    group.broadcast(values, 0);
    this.averaging =
        overlapped
            ? new ReducerAveraging(group, learned, names, options)
            : new GroupedAveraging(group, learned, names, options);
  }

  private static Map<String, Parameter> distinct(Map<String, Parameter> state) {
    Map<String, Parameter> once = new LinkedHashMap<>();
    state.forEach((name, p) -> {
      if (once.values().stream().noneMatch(q -> q == p)) {
        once.put(name, p);
      }
    });
    return once;
  }

  private void checkPlace(Tensor parameter) {
    if (!parameter.device().equals(group.device())) {
      throw new TorchException(
          "the network of rank %s has a parameter %s, but its process group is for %s"
              .formatted(group.rank(), parameter.describe(), group.device()));
    }
  }

  /**
   * Runs a forward pass whose backward pass will average the gradients, unless inside {@link
   * #noSync} or {@link GradMode#noGrad}.
   *
   * @param network computes what will be differentiated: the network's output or the loss
   * @return what it returned
   * @throws TorchException also when the last such pass was not followed by its backward pass, or a
   *     parameter took no part in it
   */
  public Tensor forward(Supplier<Tensor> network) {
    TorchException.requireNonNull(network, "network");
    checkOpen();
    if (accumulating > 0 || !GradMode.isEnabled()) {
      return network.get();
    }
    group.check();
    averaging.beforeForward();
    Tensor output = TorchException.requireNonNull(network.get(), "the network's output");
    averaging.beforeBackward(output);
    return output;
  }

  /**
   * Goes back from a tensor of one element, as {@link Tensor#backward} does, also through the
   * segments of open {@link org.relaydiffusion.torch.ActivationCheckpoints}, and averages the
   * gradients if the forward pass was one that is to. On CUDA they are the mean for whatever is
   * computed on LibTorch's current stream.
   *
   * @throws TorchException also when a peer ended, or a parameter took no part
   */
  public void backward(Tensor loss) {
    TorchException.requireNonNull(loss, "loss");
    checkOpen();
    averaging.backward(loss);
  }

  /** A section in which gradients only add up in this process; until closed. */
  public final class NoSync implements AutoCloseable {
    private boolean open = true;

    private NoSync() {
      accumulating++;
    }

    @Override
    public void close() {
      if (open) {
        open = false;
        accumulating--;
      }
    }
  }

  /**
   * Begins a section whose passes only add to this process's own gradients: all rounds of an
   * accumulation but the last, whose backward pass then averages what has added up.
   */
  public NoSync noSync() {
    checkOpen();
    return new NoSync();
  }

  private void checkOpen() {
    if (closed) {
      throw new TorchException("this data-parallel network is closed");
    }
  }

  /** Leaves the network as it is; its gradients are no longer averaged. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      averaging.close();
    }
  }
}
