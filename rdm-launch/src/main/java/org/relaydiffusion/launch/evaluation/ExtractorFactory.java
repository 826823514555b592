// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** Provides the network whose features are compared. */
@FunctionalInterface
public interface ExtractorFactory {
  /**
   * Loads the network.
   *
   * @param weights its file, if one was given
   * @param environment the variables that may specify one
   * @param device the device of the network
   * @param numerics the numerics of the network
   * @return the network; the caller closes it
   * @throws org.relaydiffusion.RdmException if there are no weights, or they do not match the
   *     network
   */
  Opened open(
      Optional<Path> weights, Map<String, String> environment, Device device, Numerics numerics);

  /** A loaded network, which owns its weights. */
  interface Opened extends AutoCloseable {
    /** Returns the network, valid until {@link #close()}. */
    FeatureExtractor extractor();

    /** Returns the last layer, required by the Inception Score; valid until {@link #close()}. */
    OutputLayer output();

    /** Returns the SHA-256 of the weights, 64 hexadecimal digits. */
    String sha256();

    /** Frees the weights. */
    @Override
    void close();
  }
}
