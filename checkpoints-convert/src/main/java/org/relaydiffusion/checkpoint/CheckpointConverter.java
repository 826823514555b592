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
 * Turns a checkpoint into a safetensors file with the network's description in its header. Tensors
 * go through in pieces of a megabyte, so that the memory needed does not grow with the file.
 */
public final class CheckpointConverter {
  private final NetworkValidator validator;

  /** Creates a converter that asks {@code validator} before it writes anything. */
  public CheckpointConverter(NetworkValidator validator) {
    this.validator = validator;
  }

  /**
   * Converts one network and reads the result back.
   *
   * @param source any checkpoint that {@link Checkpoint} opens
   * @param target the file to write, whole or not at all
   * @param dtype the type of all floating-point tensors there; as in the source when empty
   * @return what was written; every tensor is equal
   * @throws FileException when the source is broken or holds no network of a known kind, when a
   *     number does not fit the type asked for, or when what was written is not what was read
   * @throws OptionException when the type is no floating-point type, or both files are one
   */
  public ConversionReport convert(Path source, Path target, Which which, Optional<DType> dtype) {
    return convert(source, target, which, dtype, Optional.empty());
  }

  /**
   * As {@link #convert(Path, Path, Which, Optional)}, of a bare state_dict too.
   *
   * @param description what the network is, where the source has only its tensors
   * @throws FileException also when the source says itself what its networks are, but a description
   *     is given
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
   * Compares a converted file with its source: both are opened anew, and every tensor's SHA-256 is
   * computed from both. Where the type was changed, the source is converted again for it.
   *
   * @throws FileException when either cannot be read, or the converted one has other tensors
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
          "the type to convert to is %s, expected a floating-point type"
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
