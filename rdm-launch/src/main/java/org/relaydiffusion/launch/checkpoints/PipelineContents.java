// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.checkpoints;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.diffusion.PipelineFile;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOptionTable;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.launch.command.Converters;

/**
 * The contents of a pipeline folder for {@code rdm inspect}.
 *
 * @param folder the folder, whose files are verified
 */
record PipelineContents(PipelineFolder folder) {
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s: pipeline, %s, SHA-256 of all files verified"
            .formatted(
                folder.path(),
                folder.stages().size() == 1 ? "1 stage" : folder.stages().size() + " stages"));
    folder
        .stages()
        .forEach((index, stage) -> {
          lines.add("%s: %s".formatted(StageNames.of(index), text(stage.network())));
          stage.guide().ifPresent(guide -> lines.add("  guide: " + text(guide)));
          StageOptionTable.values(stage.options())
              .forEach((name, value) -> lines.add("  %s %s".formatted(name, text(value))));
        });
    Enhancement enhancement = folder.enhancement();
    lines.add(
        enhancement.equals(Enhancement.NONE)
            ? "no post-processing"
            : "post-processing: contrast %s, brightness %s, colour %s"
                .formatted(enhancement.contrast(), enhancement.brightness(), enhancement.colour()));
    return lines;
  }

  private static String text(PipelineFile file) {
    try (Checkpoint checkpoint = Checkpoint.open(file.path())) {
      NetworkRecord network = checkpoint.network();
      return "%s, %s bytes, %s, %s tensors"
          .formatted(
              file.path().getFileName(),
              file.bytes(),
              network.className(),
              network.tensors().size());
    }
  }

  private static String text(Object value) {
    return switch (value) {
      case Double number -> Converters.text(number);
      case Map<?, ?> group ->
          group.entrySet().stream()
              .map(e -> "%s %s".formatted(e.getKey(), text(e.getValue())))
              .collect(Collectors.joining(", "));
      default -> value.toString();
    };
  }

  /** Returns the contents of {@code pipeline.json}. */
  Map<String, Object> json() {
    Map<String, Object> stages = new LinkedHashMap<>();
    folder
        .stages()
        .forEach((index, stage) -> {
          Map<String, Object> json = new LinkedHashMap<>();
          json.put("network", stage.network());
          stage.guide().ifPresent(guide -> json.put("guide", guide));
          json.put("options", StageOptionTable.values(stage.options()));
          stages.put(StageNames.of(index), json);
        });
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("path", folder.path());
    json.put("stages", stages);
    json.put("enhancement", folder.enhancement());
    json.put("verified", true);
    return json;
  }
}
