// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.diffusion.train.World;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.distributed.DdpOptions;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.Store;
import org.relaydiffusion.torch.distributed.WaitListener;

/** The connections to the other processes of a run. */
final class Peers implements AutoCloseable {
  /** The timeout; a state of many gigabytes may be written while the others wait. */
  private static final Duration PATIENCE = Duration.ofMinutes(30);

  private final World world;
  private final List<AutoCloseable> open;

  private Peers(World world, List<AutoCloseable> open) {
    this.world = world;
    this.open = open;
  }

  /**
   * Connects to the other processes, if there are any: over NCCL on CUDA, over Gloo on the CPU.
   *
   * @param ddp how gradients are averaged
   * @param listener notified while this process waits for the others
   * @throws org.relaydiffusion.torch.TorchException on a timeout
   * @throws org.relaydiffusion.CancelledException if the thread is interrupted while waiting
   */
  static Peers join(
      Rank rank, Rendezvous rendezvous, Device device, DdpOptions ddp, WaitListener listener) {
    if (rank.worldSize() == 1) {
      return new Peers(World.SINGLE, List.of());
    }
    List<AutoCloseable> open = new ArrayList<>();
    try {
      Store store = rendezvous.open(rank, PATIENCE, listener);
      open.add(store);
      ProcessGroup group =
          device.type() == Device.Type.CUDA
              ? ProcessGroup.nccl(store, rank.index(), rank.worldSize(), device, PATIENCE)
              : ProcessGroup.gloo(store, rank.index(), rank.worldSize(), PATIENCE);
      open.add(group);
      return new Peers(new World(rank.index(), rank.worldSize(), Optional.of(group), ddp), open);
    } catch (RuntimeException e) {
      close(open);
      throw e;
    }
  }

  /** Returns the processes of the run. */
  World world() {
    return world;
  }

  @Override
  public void close() {
    close(open);
  }

  private static void close(List<AutoCloseable> open) {
    for (AutoCloseable each : open.reversed()) {
      try {
        each.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
