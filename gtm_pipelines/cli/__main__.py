"""``python -m gtm_pipelines.cli``: the same command without its script."""

from gtm_pipelines.cli.main import main

if __name__ == "__main__":
    main()
