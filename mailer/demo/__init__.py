"""The sample installation: one throwaway folder with invented members, this week's edition and a local inbox."""
