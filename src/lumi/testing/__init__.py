"""Test doubles that ship: virtual time, scripted engines, a memory transport, fake devices."""
