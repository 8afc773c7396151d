"""postprocess.py under its other documented name: see there."""

from postprocess import main, run

if __name__ == "__main__":
    run(main)
