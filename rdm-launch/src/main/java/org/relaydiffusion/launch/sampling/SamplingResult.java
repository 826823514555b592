package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.torch.DType;

/**
 * What a sampling run did.
 *
 * @param images how many pictures this process made
 * @param skipped how many it found whole and left
 * @param seconds how long sampling and writing took, loading the networks not counted
 * @param imagesPerSecond pictures made a second; 0 where none was
 * @param sheet the contact sheet, if one was written
 * @param npz the file of all pictures, if this process wrote it
 * @param dtypes the types that the networks computed in, in the order of the stages
 * @param job what was asked for
 */
public record SamplingResult(
    long images,
    long skipped,
    double seconds,
    double imagesPerSecond,
    Optional<Sheet> sheet,
    Optional<Path> npz,
    List<DType> dtypes,
    SamplingJob job) {
  /**
   * A contact sheet.
   *
   * @param file where it is
   * @param images how many pictures are on it
   */
  public record Sheet(Path file, int images) {}
}
