package org.relaydiffusion.launch.command;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** Inception-v3 of 2015-12-05. */
final class InceptionFactory implements ExtractorFactory {
  @Override
  public Opened open(
      Optional<Path> weights, Map<String, String> environment, Device device, Numerics numerics) {
    throw new RdmException("this build has no Inception network");
  }
}
