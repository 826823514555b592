// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.distributed.DdpOptions;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.TcpStore;

/**
 * One rank of a tiny training run: {@code host port rank size batch perRound steps file averaging
 * activations}. The parameters it ends with go to the file.
 */
final class TrainingPeerMain {
  private TrainingPeerMain() {}

  public static void main(String[] arguments) {
    LibTorch.configure(Settings.APPLICATION);
    NativeThreads.setThreads(1);
    String host = arguments[0];
    int port = Integer.parseInt(arguments[1]);
    int rank = Integer.parseInt(arguments[2]);
    int size = Integer.parseInt(arguments[3]);
    TinyRun tiny =
        TinyRun.edm(
            Integer.parseInt(arguments[4]),
            Integer.parseInt(arguments[5]),
            size,
            Integer.parseInt(arguments[6]));
    TrainingOptions options =
        tiny.options(
            new TrainingOptions.Start.Fresh(), 0, Batching.Activations.valueOf(arguments[9]));
    DdpOptions ddp =
        new DdpOptions(
            DdpOptions.DEFAULT.bucketMiB(),
            DdpOptions.DEFAULT.unused(),
            DdpOptions.Averaging.valueOf(arguments[8]));
    try (TcpStore store =
            new TcpStore(host, port, size, TcpStore.Role.ofRank(rank), Duration.ofSeconds(60));
        ProcessGroup group = ProcessGroup.gloo(store, rank, size, Duration.ofSeconds(60));
        ImageFolderDataset dataset = Trainer.open(options);
        TrainingRun run =
            new TrainingRun(options, new World(rank, size, Optional.of(group), ddp), dataset)) {
      run.begin(0);
      for (int step = 0; step < tiny.steps(); step++) {
        run.step();
      }
      Map<String, TensorSource> parameters = new LinkedHashMap<>();
      run.network().state().forEach((name, p) -> parameters.put(name, TensorSources.of(p.value())));
      SafetensorsWriter.writeSources(Path.of(arguments[7]), parameters, Map.of());
      group.barrier();
    }
  }
}
