"""The chart, judged by real Helm and installed on the real control plane."""
