// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.DType;

/**
 * Converts a checkpoint to a safetensors file with the network's configuration in its header.
 * Tensors are copied in chunks of a megabyte, so memory does not grow with the file.
 */
public final class CheckpointConverter {
  private final NetworkValidator validator;

  /** Creates a converter that calls {@code validator} before it writes anything. */
  public CheckpointConverter(NetworkValidator validator) {
    this.validator = validator;
  }

  /**
   * Converts one network and verifies the result.
   *
   * @param source any checkpoint that {@link Checkpoint} can open
   * @param target the output, written atomically
   * @param which the network
   * @param dtype the dtype of all floating-point tensors in the result; unchanged if empty
   * @return what was written; every tensor is equal
   * @throws FileException if the source is damaged or contains no network of a known kind, if a
   *     number overflows the dtype, or if the written file differs
   * @throws OptionException if the dtype is not a floating-point dtype, or both files are the same
   */
  public ConversionReport convert(Path source, Path target, Which which, Optional<DType> dtype) {
    return convert(source, target, which, dtype, Optional.empty());
  }

  /**
   * Converts as {@link #convert(Path, Path, Which, Optional)}, also from a bare state_dict.
   *
   * @param description the configuration of the network, if the source only has its tensors
   * @throws FileException also if a configuration is given although the source contains one
   */
  public ConversionReport convert(
      Path source,
      Path target,
      Which which,
      Optional<DType> dtype,
      Optional<NetworkDescription> description) {
    checkOptions(source, target, dtype);
    try (Checkpoint checkpoint = Checkpoint.open(source)) {
      NetworkRecord network = network(checkpoint, which, description);
      NetworkChecks.check(source, network);
      validate(source, network);
      SafetensorsWriter.writeSources(
          target, sources(source, network, dtype), NetworkMetadata.of(which, network));
    }
    return Verification.checkEqual(verify(source, target, which, dtype, description));
  }

  private static NetworkRecord network(
      Checkpoint checkpoint, Which which, Optional<NetworkDescription> description) {
    return description
        .map(d -> d.network(checkpoint, which))
        .orElseGet(() -> checkpoint.network(which));
  }

  /**
   * Compares a converted file with its source: both are opened again, and the SHA-256 of every
   * tensor is computed from both. If the dtype was changed, the source is converted again for this
   * purpose.
   *
   * @throws FileException if either cannot be read, or the tensors of the converted file are
   *     different ones
   */
  public ConversionReport verify(Path source, Path converted, Which which, Optional<DType> dtype) {
    return verify(source, converted, which, dtype, Optional.empty());
  }

  private static ConversionReport verify(
      Path source,
      Path converted,
      Which which,
      Optional<DType> dtype,
      Optional<NetworkDescription> description) {
    try (Checkpoint from = Checkpoint.open(source);
        Checkpoint to = Checkpoint.open(converted)) {
      NetworkRecord network = network(from, which, description);
      NetworkRecord written = to.network(which);
      checkDescription(converted, network, written);
      return new ConversionReport(
          source,
          converted,
          Verification.compare(sources(source, network, dtype), written.tensors()));
    }
  }

  private static void checkOptions(Path source, Path target, Optional<DType> dtype) {
    if (dtype.isPresent() && !dtype.get().isFloatingPoint()) {
      throw new OptionException(
          "the requested dtype is %s, expected a floating-point dtype"
              .formatted(dtype.get().torchName()));
    }
    OutputFile.refuseInput(target, source);
  }

  private void validate(Path source, NetworkRecord network) {
    try {
      validator.validate(network);
    } catch (FileException e) {
      throw e;
    } catch (RdmException e) {
      throw new FileException(source, String.valueOf(e.getMessage()), e);
    }
  }

  private static void checkDescription(
      Path converted, NetworkRecord network, NetworkRecord written) {
    boolean same =
        network.className().equals(written.className())
            && network.initKwargs().equals(written.initKwargs())
            && network.parameterNames().equals(written.parameterNames())
            && List.copyOf(network.tensors().keySet())
                .equals(List.copyOf(written.tensors().keySet()));
    if (!same) {
      throw new FileException(
          converted, "has another class, other settings or other tensors than its source");
    }
  }

  private static Map<String, TensorSource> sources(
      Path file, NetworkRecord network, Optional<DType> dtype) {
    Map<String, TensorSource> sources = new LinkedHashMap<>();
    network
        .tensors()
        .forEach((name, tensor) -> {
          TensorSource stored = new LazySource(tensor);
          sources.put(
              name, dtype.map(type -> CastSource.of(file, name, stored, type)).orElse(stored));
        });
    return sources;
  }
}
