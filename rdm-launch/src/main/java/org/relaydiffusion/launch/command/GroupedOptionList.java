// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Renders the options in the help, grouped by {@link Section} in order of declaration. */
public final class GroupedOptionList implements IHelpSectionRenderer {
  private static final String OTHERS = "Options";

  @Override
  public String render(Help help) {
    Map<String, String> headings = new HashMap<>();
    for (CommandSpec mixin : help.commandSpec().mixins().values()) {
      if (mixin.userObject() instanceof Section section) {
        mixin.options().forEach(o -> headings.put(o.longestName(), section.heading()));
      }
    }
    Map<String, List<OptionSpec>> sections = new LinkedHashMap<>();
    for (OptionSpec option : help.commandSpec().options()) {
      if (!option.hidden()) {
        sections
            .computeIfAbsent(
                headings.getOrDefault(option.longestName(), OTHERS), _ -> new ArrayList<>())
            .add(option);
      }
    }
    // Options that every command has come last.
    List<OptionSpec> others = sections.remove(OTHERS);
    if (others != null) {
      sections.put(OTHERS, others);
    }
    StringBuilder text = new StringBuilder();
    sections.forEach((heading, options) -> {
      Help.Layout layout = help.createDefaultLayout();
      layout.addOptions(options, help.createDefaultParamLabelRenderer());
      text.append(String.format("%n%s:%n", heading)).append(layout);
    });
    return text.toString();
  }
}
