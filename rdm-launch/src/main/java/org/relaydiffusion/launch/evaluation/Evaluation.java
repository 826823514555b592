// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.relaydiffusion.metrics.FrechetDistance;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.PrecisionRecall;

/**
 * The result of an evaluation; metrics that were not requested are empty.
 *
 * @param samples the file of the samples
 * @param reference the file of the reference set
 * @param fid between pool features
 * @param sfid between spatial features
 * @param inceptionScore of the samples
 * @param precisionRecall between pool features
 * @param warnings caveats about the values, one sentence each
 * @param network the SHA-256 of the Inception weights whose output layer scored the samples
 */
public record Evaluation(
    Compared samples,
    Optional<Compared> reference,
    Optional<FrechetDistance> fid,
    Optional<FrechetDistance> sfid,
    Optional<InceptionScore> inceptionScore,
    Optional<PrecisionRecall> precisionRecall,
    List<String> warnings,
    Optional<String> network) {
  /**
   * One of the compared sets.
   *
   * @param file its activation file
   * @param images the number of images, if known
   * @param inceptionSha256 the SHA-256 of the Inception weights of its features, if recorded in the
   *     file
   */
  public record Compared(Path file, OptionalLong images, Optional<String> inceptionSha256) {}

  /**
   * Returns a copy with the network that scored the samples, with a warning if their features are
   * from a different one.
   *
   * @param sum the SHA-256 of its weights
   */
  public Evaluation withInception(String sum) {
    List<String> all = new ArrayList<>(warnings);
    samples
        .inceptionSha256()
        .filter(own -> !own.equals(sum))
        .ifPresent(own ->
            all.add(
                "IS: the samples' features are from Inception weights %s, the output layer from %s"
                    .formatted(own, sum)));
    return new Evaluation(
        samples,
        reference,
        fid,
        sfid,
        inceptionScore,
        precisionRecall,
        List.copyOf(all),
        Optional.of(sum));
  }

  /**
   * Returns the Inception weights of the values, one line each; a single line if all are the same.
   */
  public List<String> weights() {
    Map<String, Optional<String>> sums = new LinkedHashMap<>();
    sums.put("samples", samples.inceptionSha256());
    reference.ifPresent(set -> sums.put("reference", set.inceptionSha256()));
    network.ifPresent(sum -> sums.put("output layer", Optional.of(sum)));
    if (Set.copyOf(sums.values()).size() == 1) {
      return List.of(text(sums.values().iterator().next()));
    }
    return sums.entrySet().stream()
        .map(entry -> "%s of the %s".formatted(text(entry.getValue()), entry.getKey()))
        .toList();
  }

  private static String text(Optional<String> sum) {
    return sum.map(s -> "SHA-256 " + s).orElse("not recorded");
  }
}
