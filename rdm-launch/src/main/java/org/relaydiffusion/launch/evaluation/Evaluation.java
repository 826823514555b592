package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.relaydiffusion.metrics.FrechetDistance;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.PrecisionRecall;

/**
 * What was found; a metric that was not asked for is empty.
 *
 * @param samples the samples' file
 * @param reference the reference set's file
 * @param fid between pool features
 * @param sfid between spatial features
 * @param inceptionScore of the samples
 * @param precisionRecall between pool features
 * @param warnings what to know before trusting the numbers, a sentence each
 * @param sha256 of the Inception weights behind the numbers, where it is known
 * @param seconds how long it took
 */
public record Evaluation(
    Compared samples,
    Optional<Compared> reference,
    Optional<FrechetDistance> fid,
    Optional<FrechetDistance> sfid,
    Optional<InceptionScore> inceptionScore,
    Optional<PrecisionRecall> precisionRecall,
    List<String> warnings,
    Optional<String> sha256,
    double seconds) {
  /**
   * One of the sets.
   *
   * @param file its file
   * @param images how many there are, where it is known
   */
  public record Compared(Path file, OptionalLong images) {}

  /**
   * This with the network that scored the samples; with a warning where it is not the one that
   * their features are from.
   *
   * @param sum the SHA-256 of its weights
   */
  public Evaluation withInception(String sum) {
    List<String> all = new ArrayList<>(warnings);
    if (sha256.isPresent() && !sha256.get().equals(sum)) {
      all.add(
          "IS: the samples' features are from Inception weights %s, the output layer from %s"
              .formatted(sha256.get(), sum));
    }
    return new Evaluation(
        samples,
        reference,
        fid,
        sfid,
        inceptionScore,
        precisionRecall,
        List.copyOf(all),
        Optional.of(sha256.orElse(sum)),
        seconds);
  }
}
