package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** Where the evaluation commands get the network from whose features they compare. */
@FunctionalInterface
public interface ExtractorFactory {
  /**
   * Loads the network.
   *
   * @param weights its file, if one was named
   * @param environment the variables that may name one
   * @param device where it runs
   * @param numerics how it computes
   * @return the caller closes it
   * @throws org.relaydiffusion.RdmException when there are no weights, or they are not its own
   */
  Opened open(
      Optional<Path> weights, Map<String, String> environment, Device device, Numerics numerics);

  /** A loaded network. */
  interface Opened extends AutoCloseable {
    /** The network. */
    FeatureExtractor extractor();

    /** Its last layer, which the inception score needs; freed with it. */
    OutputLayer output();

    /** The SHA-256 of its weights, 64 hexadecimal digits. */
    String sha256();

    /** Frees the weights. */
    @Override
    void close();
  }
}
