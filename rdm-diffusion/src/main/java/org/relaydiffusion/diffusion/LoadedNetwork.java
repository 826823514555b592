// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.Device;

/** A network and its checkpoint: tensors may be in the mapped file, so the file is closed last. */
record LoadedNetwork(Preconditioner net, Checkpoint checkpoint) implements AutoCloseable {
  /**
   * Loads the network for sampling (the EMA) from a checkpoint of any format.
   *
   * @throws FileException if the file is damaged or does not contain the network
   */
  static LoadedNetwork open(
      Path file, Numerics numerics, ComputeType type, Device device, CudaGraphs graphs) {
    Checkpoint checkpoint = Checkpoint.open(file);
    try {
      NetworkRecord record = checkpoint.network();
      ModelConfig config = ModelConfig.of(record.className(), record.initKwargs());
      LoadOptions options =
          new LoadOptions(numerics, type.of(record.initKwargs(), device), device, graphs);
      return new LoadedNetwork(Preconditioner.load(config, record.state(), options), checkpoint);
    } catch (ModelException e) {
      checkpoint.close();
      throw new FileException(
          file, e.getMessage() == null ? "cannot be loaded" : e.getMessage(), e);
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  @Override
  public void close() {
    net.close();
    checkpoint.close();
  }
}
