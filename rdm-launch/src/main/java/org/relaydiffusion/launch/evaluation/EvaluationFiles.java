// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.metrics.ActivationsFile;

/** The activation files of an evaluation, open until {@link #close()}. Not thread-safe. */
public final class EvaluationFiles implements AutoCloseable {
  private final ActivationsFile samples;
  private final @Nullable ActivationsFile reference;

  private EvaluationFiles(ActivationsFile samples, @Nullable ActivationsFile reference) {
    this.samples = samples;
    this.reference = reference;
  }

  /**
   * Opens the files of the samples and, if given, of the reference set.
   *
   * @throws org.relaydiffusion.FileException if one cannot be read or is not an activation file
   */
  public static EvaluationFiles open(EvaluationJob job) {
    ActivationsFile samples = ActivationsFile.open(job.sample(), job.spatialOrder().orElse(null));
    try {
      ActivationsFile reference =
          job.reference().isEmpty()
              ? null
              : ActivationsFile.open(job.reference().get(), job.spatialOrder().orElse(null));
      return new EvaluationFiles(samples, reference);
    } catch (RuntimeException e) {
      samples.close();
      throw e;
    }
  }

  /** Returns the samples; closed with this object. */
  public ActivationsFile samples() {
    return samples;
  }

  /**
   * Returns the reference set; closed with this object.
   *
   * @throws OptionException if there is none
   */
  public ActivationsFile reference() {
    if (reference == null) {
      throw new OptionException("--activations_ref is missing");
    }
    return reference;
  }

  /** Returns the names and sizes of the files, for the result. */
  Evaluation.Compared described(ActivationsFile file) {
    return new Evaluation.Compared(file.path(), file.count(), file.inceptionSha256());
  }

  /** Closes both files. */
  @Override
  public void close() {
    samples.close();
    if (reference != null) {
      reference.close();
    }
  }
}
