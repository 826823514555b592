// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.distributed.DdpOptions;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.TcpStore;

/**
 * One rank of two, which trains on pictures of its own: {@code port rank data folder}. Those of
 * rank 1 are gone after the first step.
 */
final class FailingPeerMain {
  private static final Duration LONG = Duration.ofSeconds(100);

  private FailingPeerMain() {}

  public static void main(String[] arguments) {
    LibTorch.configure(Settings.APPLICATION);
    NativeThreads.setThreads(1);
    int port = Integer.parseInt(arguments[0]);
    int rank = Integer.parseInt(arguments[1]);
    Path data = Path.of(arguments[2]);
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(long images, long total) {
            if (rank == 1 && images == StoppedTrainingTest.BATCH) {
              StoppedTrainingTest.hide(data);
            }
          }
        };
    try (TcpStore store = new TcpStore("127.0.0.1", port, 2, TcpStore.Role.ofRank(rank), LONG);
        ProcessGroup group = ProcessGroup.gloo(store, rank, 2, LONG);
        RunDirectory directory = rank == 0 ? RunDirectory.of(Path.of(arguments[3])) : null) {
      Trainer.train(
          StoppedTrainingTest.of(data, new TrainingOptions.Start.Fresh()),
          new World(rank, 2, Optional.of(group), DdpOptions.DEFAULT),
          directory,
          listener,
          new Cancellation());
      System.out.println("trained to the end");
    } catch (RdmException e) {
      System.out.println(e.getMessage());
    }
  }
}
